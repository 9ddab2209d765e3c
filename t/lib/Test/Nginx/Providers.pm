package Test::Nginx::Providers;

# (C) ngx_http_webhook_module contributors

# What the providers of the built-in schemes send: a table of their own, made
# from their documentation and not from the texts in the module.

###############################################################################

=head1 SYNOPSIS

	use Test::Nginx::Webhook;
	use Test::Nginx::Providers;

	foreach my $name (providers()) {
		my %event = event($name, n => 1);
		my $r = request(%event);
		...
	}

=head1 EVENTS

Each provider has a thing to which events happen: event 1, event 2 and so on
are distinct, and of the one thing.  Where a provider sends several events at
once, the first of them is the same in all.

=cut

###############################################################################

use warnings;
use strict;

use base qw/ Exporter /;

our @EXPORT = qw/ providers provider secrets event signature /;

###############################################################################

use File::Temp qw//;
use MIME::Base64 qw/ encode_base64 /;
use POSIX qw/ strftime /;
use Test::Nginx qw//;
use Test::Nginx::Webhook qw/ hmac /;

###############################################################################

=head1 THE TABLE

	alg      sha256 unless given; sha1, sha512, ed25519, token
	enc      of the digest: hex unless given; base64
	sig      name of the signature's header, and how the digest stands in it
	more     further names that such a header can have
	list     how several digests stand in it
	text     what is signed, body unless given
	key      how the secret is shown: raw unless given (the bytes of the
	         text are the key); whsec, whpk, base64, hex
	unit     of the timestamp: s, ms, rfc3339; none if there is no timestamp
	past     the window in seconds, 300 unless given
	future   the same unless given
	headers  others that are sent
	body     of event {n}; {attempt} differs in a retry
	id, type what the event is called
	dedup    0: nothing tells events apart
	retries  seconds for which it goes on sending an event: a day unless
	         given, the window if there is a timestamp

In what is sent, {ts} is the timestamp, {n} the number of the event, {id}
and {type} the two below, {digest} the digest, {method} and {url} what they
say.

=cut

# families

my %standard = (
	retries => 75 * 3600 + 35 * 60,
	enc => 'base64',
	key => 'whsec',
	sig => [ 'webhook-signature', 'v1,{digest}' ],
	list => ' ',
	unit => 's',
	text => '{id}.{ts}.{body}',
	headers => [ [ 'webhook-id', '{id}' ], [ 'webhook-timestamp', '{ts}' ] ],
	body => '{"type":"{type}","data":{"id":"thing_1"}}',
	id => 'msg_{n}',
	type => 'thing.changed',
);

my %svix = (
	%standard,
	retries => 27 * 3600 + 35 * 60 + 5,
	sig => [ 'svix-signature', 'v1,{digest}' ],
	headers => [ [ 'svix-id', '{id}' ], [ 'svix-timestamp', '{ts}' ] ],
);

my %stripe = (
	unit => 's',
	text => '{ts}.{body}',
	list => ',v1=',
	id => 'evt_{n}',
	type => 'thing.changed',
	body => '{"id":"{id}","type":"{type}","attempt":{attempt},'
		. '"data":{"id":"thing_1"}}',
);

my %v0 = (
	unit => 's',
	text => 'v0:{ts}:{body}',
);

my %github = (
	sig => [ 'x-hub-signature-256', 'sha256={digest}' ],
	headers => [ [ 'x-github-delivery', '{id}' ],
		[ 'x-github-event', '{type}' ] ],
	body => '{"action":"edited","number":1,"updated":{n}}',
	id => '72d3162e-cc78-11e3-81ab-4c9367dc{n}',
	type => 'pull_request',
);

my %plain = (
	body => '{"id":"{id}","type":"{type}","data":{"id":"thing_1"}}',
	id => 'evt_{n}',
	type => 'thing.changed',
);

my @table = (

	'bamotf' => {
		retries => 3,
		unit => 'ms',
		sig => [ 'x-webhook-signature', 'v={ts},d={digest}' ],
		text => '{body}{ts}',
		body => '{"id":"{attempt}{n}","idempotenceKey":"{id}",'
			. '"created":"{attempt}","event":"{type}",'
			. '"data":{"paymentIntent":{"id":"pi_1"}}}',
		id => '{n}',
		type => 'payment_intent.succeeded',
	},

	'bitnob' => {
		alg => 'sha512',
		sig => [ 'x-bitnob-signature', '{digest}' ],
		body => '{"event":"{type}","event_id":"{id}",'
			. '"data":{"id":"card_1"}}',
		id => 'ev_{n}',
		type => 'card.topup',
	},

	'bitnob-timestamped' => {
		retries => 31,
		unit => 's',
		sig => [ 'x-bitnob-signature', '{digest}' ],
		text => '{ts}.{body}',
		headers => [ [ 'x-bitnob-timestamp', '{ts}' ],
			[ 'x-bitnob-event', '{type}' ] ],
		body => '{"event":"{type}","event_id":"{id}",'
			. '"data":{"id":"card_1"}}',
		id => 'ev_{n}',
		type => 'card.topup',
	},

	'yoco' => {
		%standard,
		retries => 27 * 3600 + 35 * 60 + 5,
		past => 180,
		body => '{"id":"evt_{n}","type":"{type}",'
			. '"payload":{"id":"p_1"}}',
	},

	'nextpay' => {
		%plain,
		retries => 156 * 60,
		sig => [ 'x-nextpay-signature', '{digest}' ],
	},

	'standard-webhooks' => \%standard,

	'standard-webhooks-ed25519' => {
		%standard,
		alg => 'ed25519',
		key => 'whpk',
		sig => [ 'webhook-signature', 'v1a,{digest}' ],
	},

	'svix' => \%svix,
	'resend' => \%svix,
	'clerk' => \%svix,
	'openai' => \%standard,
	'dodo' => \%standard,
	'polar' => { %standard, key => 'raw' },

	'gitlab' => {
		%standard,
		headers => [ @{$standard{headers}},
			[ 'x-gitlab-event', '{type}' ] ],
		body => '{"object_kind":"push","project_id":1}',
		type => 'Push Hook',
	},

	'gitlab-token' => {
		alg => 'token',
		sig => [ 'x-gitlab-token', '{digest}' ],
		headers => [ [ 'idempotency-key', '{id}' ],
			[ 'x-gitlab-event', '{type}' ] ],
		body => '{"object_kind":"push","project_id":1}',
		id => 'f5e5f430-f57b-4e6e-9fac-d9128cd7232{n}',
		type => 'Push Hook',
	},

	'stripe' => {
		%stripe,
		retries => 3 * 86400 + 300,
		sig => [ 'stripe-signature', 't={ts},v1={digest}' ],
	},

	'mux' => {
		%stripe,
		retries => 86400,
		sig => [ 'mux-signature', 't={ts},v1={digest}' ],
	},

	'workos' => {
		%stripe,
		retries => 3 * 86400,
		unit => 'ms',
		past => 180,
		sig => [ 'workos-signature', 't={ts}, v1={digest}' ],
		list => ', v1=',
		body => '{"id":"{id}","event":"{type}","data":{"id":"user_1"}}',
	},

	'calendly' => {
		%stripe,
		retries => 86400,
		sig => [ 'calendly-webhook-signature', 't={ts},v1={digest}' ],
		body => '{"event":"{type}","created_at":"{n}",'
			. '"payload":{"uri":"invitee/1"}}',
		id => undef,
	},

	'persona' => {
		%stripe,
		sig => [ 'persona-signature', 't={ts},v1={digest}' ],
		list => ' t={ts},v1=',
		headers => [ [ 'persona-attempts', '{attempt}' ] ],
		body => '{"data":{"type":"event","id":"{id}","attributes":'
			. '{"name":"{type}","payload":{"data":{"id":"inq_1"}}}}}',
	},

	'paddle' => {
		%stripe,
		retries => 3 * 86400 + 300,
		past => 5,
		sig => [ 'paddle-signature', 'ts={ts};h1={digest}' ],
		text => '{ts}:{body}',
		list => ';h1=',
		body => '{"event_id":"{id}","event_type":"{type}",'
			. '"notification_id":"ntf_{attempt}","data":{"id":"sub_1"}}',
	},

	'recurly' => {
		retries => 262308,
		unit => 's',
		sig => [ 'recurly-signature', '{ts},{digest}' ],
		text => '{ts}.{body}',
		list => ',',
		headers => [ [ 'recurly-notification-id', '{id}' ] ],
		body => '{"id":"acc_1","event_type":"{type}","event_time":"{n}"}',
		id => 'not_{n}',
		type => 'updated',
	},

	'slack' => {
		%v0,
		retries => 370,
		sig => [ 'x-slack-signature', 'v0={digest}' ],
		headers => [ [ 'x-slack-request-timestamp', '{ts}' ],
			[ 'x-slack-retry-num', '{attempt}' ] ],
		body => '{"type":"event_callback","event_id":"{id}",'
			. '"event":{"type":"{type}","channel":"C1"}}',
		id => 'Ev{n}',
		type => 'message',
	},

	'zoom' => {
		%v0,
		retries => 85 * 60 + 30,
		sig => [ 'x-zm-signature', 'v0={digest}' ],
		headers => [ [ 'x-zm-request-timestamp', '{ts}' ] ],
		body => '{"event":"{type}","event_ts":{n},'
			. '"payload":{"object":{"id":"1"}}}',
		type => 'meeting.updated',
	},

	'zendesk' => {
		enc => 'base64',
		unit => 'rfc3339',
		sig => [ 'x-zendesk-webhook-signature', '{digest}' ],
		text => '{ts}{body}',
		headers => [ [ 'x-zendesk-webhook-signature-timestamp',
			'{ts}' ] ],
		body => '{"id":"{id}","type":"{type}","zendesk_event_version":'
			. '"2022-11-06","subject":"zen:ticket:1"}',
		id => '2b24ef10-19d3-4740-93cf-c3ab9ee74{n}',
		type => 'zen:event-type:ticket.changed',
	},

	'twitch' => {
		unit => 'rfc3339',
		fraction => '.123456789',
		past => 600,
		sig => [ 'twitch-eventsub-message-signature',
			'sha256={digest}' ],
		text => '{id}{ts}{body}',
		headers => [ [ 'twitch-eventsub-message-id', '{id}' ],
			[ 'twitch-eventsub-message-timestamp', '{ts}' ],
			[ 'twitch-eventsub-message-retry', '{attempt}' ],
			[ 'twitch-eventsub-subscription-type', '{type}' ] ],
		body => '{"subscription":{"id":"s_1"},"event":{"id":"1"}}',
		id => 'e76c6bd4-55c9-4987-8304-da1588d8{n}',
		type => 'channel.follow',
	},

	'box' => {
		retries => 2 * 3600,
		enc => 'base64',
		unit => 'rfc3339',
		past => 600,
		future => 60,
		sig => [ 'box-signature-primary', '{digest}' ],
		more => [ 'box-signature-secondary' ],
		text => '{body}{ts}',
		headers => [ [ 'box-delivery-id', '{id}' ],
			[ 'box-delivery-timestamp', '{ts}' ],
			[ 'box-signature-version', '1' ],
			[ 'box-signature-algorithm', 'HmacSHA256' ] ],
		body => '{"type":"webhook_event","id":"e_{n}",'
			. '"trigger":"{type}","source":{"id":"1"}}',
		id => 'f96bb54b-ee16-4fc5-aa65-8c2d9e5b{n}',
		type => 'FILE.UPLOADED',
	},

	'github' => \%github,

	'gitea' => {
		%github,
		sig => [ 'x-gitea-signature', '{digest}' ],
		headers => [ [ 'x-gitea-delivery', '{id}' ],
			[ 'x-gitea-event', '{type}' ] ],
	},

	'bitbucket' => {
		%github,
		sig => [ 'x-hub-signature', 'sha256={digest}' ],
		headers => [ [ 'x-request-uuid', '{id}' ],
			[ 'x-event-key', '{type}' ],
			[ 'x-attempt-number', '{attempt}' ] ],
		type => 'repo:push',
	},

	'jira' => {
		%github,
		sig => [ 'x-hub-signature', 'sha256={digest}' ],
		headers => [ [ 'x-atlassian-webhook-identifier', '{id}' ] ],
		body => '{"timestamp":{n},"webhookEvent":"{type}",'
			. '"issue":{"id":"1"}}',
		type => 'jira:issue_updated',
	},

	'intercom' => {
		alg => 'sha1',
		sig => [ 'x-hub-signature', 'sha1={digest}' ],
		body => '{"type":"notification_event","id":"{id}",'
			. '"topic":"{type}","delivery_attempts":{attempt},'
			. '"data":{"item":{"id":"1"}}}',
		id => 'notif_{n}',
		type => 'conversation.user.replied',
	},

	'meta' => {
		retries => 7 * 86400,
		sig => [ 'x-hub-signature-256', 'sha256={digest}' ],
		body => '{"object":"{type}","entry":[{"id":"1","time":{n}}]}',
		type => 'page',
	},

	'shopify' => {
		retries => 4 * 3600,
		enc => 'base64',
		sig => [ 'x-shopify-hmac-sha256', '{digest}' ],
		headers => [ [ 'x-shopify-webhook-id', '{id}' ],
			[ 'x-shopify-topic', '{type}' ],
			[ 'x-shopify-triggered-at', '2025-11-24T16:00:00Z' ] ],
		body => '{"id":1,"updated_at":"{n}"}',
		id => 'b54557e4-bdd9-4b37-8a5f-bf7d70bc{n}',
		type => 'orders/updated',
	},

	'woocommerce' => {
		enc => 'base64',
		sig => [ 'x-wc-webhook-signature', '{digest}' ],
		headers => [ [ 'x-wc-webhook-delivery-id', '{id}' ],
			[ 'x-wc-webhook-topic', '{type}' ] ],
		body => '{"id":1,"date_modified":"{n}"}',
		id => '5e1c0c0b1b7c4c9f{n}',
		type => 'order.updated',
	},

	'square' => {
		retries => 86400 + 60,
		enc => 'base64',
		sig => [ 'x-square-hmacsha256-signature', '{digest}' ],
		text => '{url}{body}',
		body => '{"event_id":"{id}","type":"{type}","data":{"id":"1"}}',
		id => 'ev-{n}',
		type => 'payment.updated',
	},

	'trello' => {
		alg => 'sha1',
		enc => 'base64',
		sig => [ 'x-trello-webhook', '{digest}' ],
		text => '{body}{url}',
		body => '{"action":{"id":"{id}","type":"{type}"},'
			. '"model":{"id":"board1"}}',
		id => '51f9424bcd6e040f3c0024{n}',
		type => 'updateCard',
	},

	'hubspot-v3' => {
		retries => 86400,
		enc => 'base64',
		unit => 'ms',
		sig => [ 'x-hubspot-signature-v3', '{digest}' ],
		text => '{method}{url}{body}{ts}',
		headers => [ [ 'x-hubspot-request-timestamp', '{ts}' ] ],
		body => '[{"eventId":100,"subscriptionType":"{type}"},'
			. '{"eventId":10{n},"subscriptionType":"{type}"}]',
		id => '100',
		type => 'contact.propertyChange',
	},

	'linear' => {
		retries => 7 * 3600,
		unit => 'ms',
		past => 60,
		sig => [ 'linear-signature', '{digest}' ],
		headers => [ [ 'linear-delivery', '{id}' ],
			[ 'linear-event', '{type}' ] ],
		body => '{"action":"update","type":"Issue","data":{"id":"1"},'
			. '"createdAt":"{n}","webhookTimestamp":{ts},'
			. '"webhookId":"w_1"}',
		id => '234d1a4e-b617-4388-90fe-adc3633d{n}',
		type => 'Issue',
	},

	'line' => {
		enc => 'base64',
		sig => [ 'x-line-signature', '{digest}' ],
		body => '{"destination":"U1","events":[{"type":"{type}",'
			. '"webhookEventId":"{id}"},{"webhookEventId":"{n}"}]}',
		id => '01FZ74A0TDDPYRVKNK77XKC3ZR',
		type => 'message',
	},

	'lemon-squeezy' => {
		retries => 155,
		sig => [ 'x-signature', '{digest}' ],
		headers => [ [ 'x-event-name', '{type}' ] ],
		body => '{"meta":{"event_name":"{type}"},"data":{"id":"{id}",'
			. '"attributes":{"updated_at":"{n}"}}}',
		id => '1',
		type => 'subscription_updated',
	},

	'razorpay' => {
		retries => 86400,
		sig => [ 'x-razorpay-signature', '{digest}' ],
		headers => [ [ 'x-razorpay-event-id', '{id}' ] ],
		body => '{"event":"{type}","created_at":{n},'
			. '"payload":{"payment":{"entity":{"id":"pay_1"}}}}',
		id => 'ev_{n}',
		type => 'payment.authorized',
	},

	'paystack' => {
		alg => 'sha512',
		sig => [ 'x-paystack-signature', '{digest}' ],
		body => '{"event":"{type}","data":{"id":{id},"log":{n}}}',
		id => '302961',
		type => 'charge.success',
	},

	'flutterwave' => {
		%plain,
		enc => 'base64',
		sig => [ 'flutterwave-signature', '{digest}' ],
	},

	'checkout-com' => {
		%plain,
		retries => 30 * 3600,
		sig => [ 'cko-signature', '{digest}' ],
	},

	'coinbase-commerce' => {
		retries => 3 * 86400 + 300,
		sig => [ 'x-cc-webhook-signature', '{digest}' ],
		body => '{"attempt_number":{attempt},"event":{"id":"{id}",'
			. '"type":"{type}","data":{"id":"charge_1"}}}',
		id => '24934862-d980-46cb-9402-43c81b0c{n}',
		type => 'charge:confirmed',
	},

	'btcpay' => {
		sig => [ 'btcpay-sig', 'sha256={digest}' ],
		body => qq({\n  "deliveryId": "{attempt}{n}",\n)
			. qq(  "originalDeliveryId": "{id}",\n)
			. qq(  "type": "{type}",\n  "invoiceId": "i_1"\n}),
		id => 'dlv_{n}',
		type => 'InvoiceSettled',
	},

	'mollie' => {
		%plain,
		sig => [ 'x-mollie-signature', 'sha256={digest}' ],
	},

	'gocardless' => {
		sig => [ 'webhook-signature', '{digest}' ],
		body => '{"events":[{"id":"EV1","action":"{type}"},'
			. '{"id":"EV{n}"}],"meta":{"webhook_id":"{id}"}}',
		id => 'WB{n}',
		type => 'confirmed',
	},

	'adyen-platform' => {
		retries => 29 * 86400,
		enc => 'base64',
		key => 'hex',
		sig => [ 'hmacsignature', '{digest}' ],
		body => '{"data":{"id":"{id}","status":"{n}"},"type":"{type}"}',
		id => 'AH00000000000000000000001',
		type => 'balancePlatform.accountHolder.updated',
	},

	'airtable' => {
		key => 'base64',
		sig => [ 'x-airtable-content-mac', 'hmac-sha256={digest}' ],
		body => '{"base":{"id":"app1"},"webhook":{"id":"ach1"},'
			. '"timestamp":"{n}"}',
	},

	'typeform' => {
		enc => 'base64',
		sig => [ 'typeform-signature', 'sha256={digest}' ],
		body => '{"event_id":"{id}","event_type":"{type}",'
			. '"form_response":{"form_id":"f_1"}}',
		id => '01D{n}',
		type => 'form_response',
	},

	'pagerduty' => {
		sig => [ 'x-pagerduty-signature', 'v1={digest}' ],
		list => ',v1=',
		body => '{"event":{"id":"{id}","event_type":"{type}",'
			. '"data":{"id":"P1"}}}',
		id => '01CE{n}',
		type => 'incident.acknowledged',
	},

	'quickbooks' => {
		enc => 'base64',
		sig => [ 'intuit-signature', '{digest}' ],
		body => '[{"id":"{id}","type":"{type}"},{"id":"{n}"}]',
		id => '88cd52aa-33b6-4351-9aa4-47572edbd068',
		type => 'qbo.invoice.created.v1',
	},

	'xero' => {
		enc => 'base64',
		sig => [ 'x-xero-signature', '{digest}' ],
		body => '{"events":[{"eventType":"{type}","resourceId":"1"}],'
			. '"firstEventSequence":{id},"lastEventSequence":10{n}}',
		id => '100',
		type => 'UPDATE',
	},

	'docusign' => {
		enc => 'base64',
		sig => [ 'x-docusign-signature-1', '{digest}' ],
		more => [ map { "x-docusign-signature-$_" } 2 .. 8 ],
		body => '{"event":"{type}","generatedDateTime":"{n}",'
			. '"data":{"envelopeId":"1"}}',
		type => 'envelope-sent',
	},

	'tatum' => {
		alg => 'sha512',
		enc => 'base64',
		sig => [ 'x-payload-hash', '{digest}' ],
		body => '{"txId":"{id}","amount":"{n}"}',
		id => '0xabc',
	},

	'onfido' => {
		sig => [ 'x-sha2-signature', '{digest}' ],
		body => '{"payload":{"resource_type":"check",'
			. '"action":"{type}","object":{"id":"{id}","at":"{n}"}}}',
		id => '4e0bbf0a',
		type => 'check.completed',
	},

	'vercel' => {
		%plain,
		alg => 'sha1',
		sig => [ 'x-vercel-signature', '{digest}' ],
	},

	'sentry' => {
		sig => [ 'sentry-hook-signature', '{digest}' ],
		headers => [ [ 'request-id', '{id}' ],
			[ 'sentry-hook-resource', '{type}' ],
			[ 'sentry-hook-timestamp', '1764000000' ] ],
		body => '{"action":"assigned","data":{"issue":{"id":"1"},'
			. '"n":{n}}}',
		id => '7f9b8d6c5e4a4b3{n}',
		type => 'issue',
	},

	'dropbox' => {
		sig => [ 'x-dropbox-signature', '{digest}' ],
		body => '{"list_folder":{"accounts":["dbid:AAH4f99"]}}',
		dedup => 0,
	},

	'asana' => {
		sig => [ 'x-hook-signature', '{digest}' ],
		body => '{"events":[{"action":"changed"}]}',
		dedup => 0,
	},

	'alchemy' => {
		%plain,
		sig => [ 'x-alchemy-signature', '{digest}' ],
	},

	'discord' => {
		alg => 'ed25519',
		key => 'hex',
		unit => 's',
		sig => [ 'x-signature-ed25519', '{digest}' ],
		text => '{ts}{body}',
		headers => [ [ 'x-signature-timestamp', '{ts}' ] ],
		body => '{"version":1,"application_id":"1","type":1,"event":'
			. '{"type":"{type}","timestamp":"{n}"}}',
		type => 'APPLICATION_AUTHORIZED',
	},

	'telegram' => {
		alg => 'token',
		sig => [ 'x-telegram-bot-api-secret-token', '{digest}' ],
		body => '{"update_id":{id},"message":{"message_id":1}}',
		id => '1000{n}',
	},
);

my (@names, %providers);

while (my ($name, $p) = splice @table, 0, 2) {
	push @names, $name;

	$providers{$name} = {
		alg => 'sha256',
		enc => 'hex',
		key => 'raw',
		text => '{body}',
		past => 300,
		more => [],
		headers => [],
		dedup => 1,
		%$p,
	};

	$p = $providers{$name};
	$p->{future} = $p->{past} unless defined $p->{future};
	$p->{retries} = defined $p->{unit} ? $p->{past} : 86400
		unless defined $p->{retries};
	$p->{signs} = { map { $_ => 1 } $p->{text} =~ /\{(\w+)\}/g };
}

###############################################################################

=head1 FUNCTIONS

=over

=item providers()

The names of the built-in schemes, in order.

=item provider(name)

The line of the table.

=item secrets(name, which, ...)

Secrets as the provider shows them; C<which> is any word that tells one from
the other.

=cut

sub providers {
	return @names;
}

sub provider {
	my ($name) = @_;

	return $providers{$name} || die "unknown provider $name\n";
}

sub secrets {
	my ($name, @which) = @_;

	return map { _shown($name, $_) } @which;
}

=item event(name, %opts)

An event as options of request(): headers, body, method, uri, host; and its id
and type as they are to be shown.

	n        number of the event, 1 unless given
	attempt  1 unless given
	key      the secret's word, 'new' unless given; or several: the signature
	         then stands there several times, as the provider lists them
	ts       unix seconds, the time of nginx's clock unless given
	ts_text  the timestamp as sent, exactly
	id, type, method, uri, host, body  others than the provider's
	sig      header of the signature, if another one

=item signature(name, key, text)

The digest of a text as it is written in the header, without what stands
around it.

=back

=cut

sub event {
	my ($name, %opts) = @_;

	my $p = provider($name);

	my %v = (n => 1, attempt => 1, method => 'POST',
		uri => "/hooks/$name?from=provider", host => 'hooks.example.com',
		%opts);

	$v{ts} = defined $opts{ts_text} ? $opts{ts_text} : _time($p, $opts{ts})
		if defined $p->{unit};

	$v{url} = "https://$v{host}$v{uri}";

	foreach my $field (qw/ type id body /) {
		$v{$field} = _fill($p->{$field}, \%v) unless exists $opts{$field};
	}

	my $text = _fill($p->{text}, \%v);

	my @digests = map { signature($name, $_, $text) }
		ref $opts{key} ? @{$opts{key}} : $opts{key} || 'new';

	die "no list of signatures for $name\n"
		if @digests > 1 and !defined $p->{list};

	$v{digest} = join _fill(defined $p->{list} ? $p->{list}
		. (_repeats($p) || '') : '', \%v), @digests;

	my ($header, $value) = @{$p->{sig}};

	return (
		headers => [
			[ 'Content-Type', 'application/json' ],
			(map { [ $_->[0], _fill($_->[1], \%v) ] }
				@{$p->{headers}}),
			[ $opts{sig} || $header, _fill($value, \%v) ]
		],
		map { $_ => $v{$_} } qw/ method uri host body id type ts /
	);
}

# the label of a digest that is a list's item of its own

sub _repeats {
	my ($p) = @_;

	return $p->{list} eq ' ' && $p->{sig}[1] =~ /^(v1a?,)/ ? $1 : '';
}

sub _fill {
	my ($text, $v) = @_;

	return unless defined $text;

	# an id is made of a number: its own text is filled first

	$text =~ s/\{(\w+)\}/exists $v->{$1}
		? defined $v->{$1} ? $v->{$1} : '' : "{$1}"/ge;

	return $text;
}

sub _time {
	my ($p, $ts) = @_;

	$ts = Test::Nginx::now() unless defined $ts;

	return $ts . '000' if $p->{unit} eq 'ms';
	return $ts if $p->{unit} eq 's';

	return strftime('%Y-%m-%dT%H:%M:%S', gmtime($ts))
		. ($p->{fraction} || '') . 'Z';
}

# 32 bytes for each name and word

sub _seed {
	my ($name, $which) = @_;

	return substr("$which/$name/" . 'secret-of-the-tests-' x 2, 0, 32);
}

sub _shown {
	my ($name, $which) = @_;

	my $p = provider($name);
	my $seed = _seed($name, $which);

	# raw secrets hold what would be cut off if they were decoded

	return 'whsec_' . _raw($seed) if $p->{key} eq 'raw';

	my $key = $p->{alg} eq 'ed25519' ? _public($seed) : $seed;

	return $p->{key} eq 'hex' ? unpack('H*', $key)
		: $p->{key} eq 'base64' ? encode_base64($key, '')
		: "$p->{key}_" . encode_base64($key, '');
}

sub _raw {
	my ($seed) = @_;

	$seed =~ s!/!-!g;
	return $seed;
}

sub signature {
	my ($name, $which, $text) = @_;

	my $p = provider($name);
	my $seed = _seed($name, $which);

	my $key = $p->{key} eq 'raw' ? _shown($name, $which) : $seed;

	return $key if $p->{alg} eq 'token';

	my $digest = $p->{alg} eq 'ed25519' ? _ed25519($seed, $text)
		: hmac($p->{alg}, $key, $text);

	return $p->{enc} eq 'hex' ? unpack('H*', $digest)
		: encode_base64($digest, '');
}

# Ed25519 by way of openssl; the private key is the seed itself

my (%public, %signed, $dir);

sub _private {
	my ($seed) = @_;

	$dir ||= File::Temp->newdir('webhook-keys-XXXXXXXXXX', TMPDIR => 1);

	return _write('key', pack('H*', '302e020100300506032b657004220420')
		. $seed);
}

sub _public {
	my ($seed) = @_;

	return $public{$seed} if defined $public{$seed};

	my $key = _private($seed);

	return $public{$seed} = substr(_openssl('pkey', '-inform', 'DER', '-in',
		$key, '-pubout', '-outform', 'DER'), -32);
}

sub _ed25519 {
	my ($seed, $text) = @_;

	return $signed{"$seed$text"} if defined $signed{"$seed$text"};

	my $key = _private($seed);

	return $signed{"$seed$text"} = _openssl('pkeyutl', '-sign', '-rawin',
		'-keyform', 'DER', '-inkey', $key, '-in', _write('text', $text));
}

sub _openssl {
	my (@args) = @_;

	open my $fh, '-|', 'openssl', @args or die "Can't run openssl: $!\n";
	binmode $fh;
	my $out = do { local $/; <$fh> };

	close $fh or die "openssl @args failed\n";

	return $out;
}

sub _write {
	my ($name, $content) = @_;

	my $file = "$dir/$name";

	open my $fh, '>', $file or die "Can't create $file: $!\n";
	binmode $fh;
	print $fh $content;
	close $fh or die "Can't write $file: $!\n";

	return $file;
}

###############################################################################

1;

###############################################################################
