package Webhook::Check::Scheme;

# (C) ngx_http_webhook_module contributors

# Schemes, those of the configuration and built-in ones, as they are written:
# { directive => [ [ argument, ... ], ... ] }, and what their lines say.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;

our @EXPORT_OK = qw/
	scheme all_schemes line likelihood algorithm signed_text has_time
	variables
/;

use Webhook::Check::Conf qw/ named /;

my (%builtin, %aliases);

###############################################################################

sub load_builtin {
	return if %builtin;

	my $name;

	while (my $line = <DATA>) {
		if ($line =~ /^\t(\S.*);$/) {
			my @args = map { /^"(.*)"$/ ? $1 : $_ }
				$1 =~ /("[^"]*"|\S+)/g;
			my $directive = shift @args;

			push @{$builtin{$name}{lines}{$directive}}, \@args;

		} elsif ($line =~ /^(\S+) = (\S+)$/) {
			$aliases{$1} = $2;

		} elsif ($line =~ /^(\S+)(?: from=(\S+))?$/) {
			$name = $1;
			$builtin{$name} = { from => $2, lines => {} };
		}
	}
}

sub scheme {
	my ($live, $name, $before) = @_;

	load_builtin();

	my @defined = grep { $_->{name} eq 'webhook_scheme' }
		map { @{$_->{block}} } grep { $_->{name} eq 'http' }
		@{$live->{tree}};

	foreach my $i (reverse 0 .. (defined $before ? $before : @defined) - 1) {
		my ($own, $from) = @{$defined[$i]{args}};

		next unless $own eq $name;

		my %lines;
		push @{$lines{$_->{name}}}, $_->{args}
			foreach @{$defined[$i]{block}};

		return {
			defined $from ? %{scheme($live, $from =~ s/^from=//r, $i)} : (),
			%lines
		};
	}

	$name = $aliases{$name} if defined $aliases{$name};

	my $s = $builtin{$name} or return {};

	return { defined $s->{from} ? %{scheme($live, $s->{from}, 0)} : (),
		%{$s->{lines}} };
}

sub all_schemes {
	my ($live) = @_;

	load_builtin();

	return sort keys %{{ map { $_ => 1 } keys %builtin,
		map { $_->{args}[0] } map { named($_, 'webhook_scheme') }
		grep { $_->{name} eq 'http' } @{$live->{tree}} }};
}

# sources and parameters of a line

sub line {
	my ($scheme, $name) = @_;

	my %line = (sources => []);

	foreach (@{($scheme->{$name} || [])->[0] || []}) {
		if (/^(separator|prefix|item|group|encoding|unit|form)=(.*)/s) {
			$line{$1} = $2;

		} else {
			push @{$line{sources}}, $_;
		}
	}

	return \%line;
}

# how likely a scheme was meant, of several that sign alike: as the module sees it

sub likelihood {
	my ($scheme, $headers) = @_;
	my $n = 0;

	foreach (map { @$_ } map { @{$scheme->{$_} || []} }
		qw/ event_id event_type /)
	{
		$n += $headers->{$_} ? 1 : -1
			foreach map { tr/_/-/r } /\$\{?http_(\w+)/g;
	}

	my $type = $scheme->{event_type} && $scheme->{event_type}[0][0] ne 'off';

	return 2 * $n + ($type ? 1 : 0);
}

sub algorithm {
	my ($scheme) = @_;
	return $scheme->{algorithm} ? $scheme->{algorithm}[0][0] : 'hmac-sha256';
}

sub signed_text {
	my ($scheme) = @_;
	return $scheme->{signed} ? $scheme->{signed}[0][0] : '$request_body';
}

sub has_time {
	my ($scheme) = @_;
	return $scheme->{timestamp} && $scheme->{timestamp}[0][0] ne 'off';
}

sub variables {
	my ($text) = @_;
	return $text =~ /\$\{?(\w+)/g;
}

###############################################################################

1;

__DATA__
# made by providers-table: do not edit
standard-webhooks
	event_id $http_webhook_id;
	event_type json:/type;
	retries 76h;
	secret prefix=whsec_ encoding=base64;
	secret encoding=base64;
	signature $http_webhook_signature "separator= " prefix=v1, encoding=base64;
	signed $http_webhook_id.$http_webhook_timestamp.$request_body;
	timestamp $http_webhook_timestamp;
standard-webhooks-ed25519 from=standard-webhooks
	algorithm ed25519;
	secret prefix=whpk_ encoding=base64;
	secret encoding=base64;
	signature $http_webhook_signature "separator= " prefix=v1a, encoding=base64;
svix from=standard-webhooks
	event_id $http_svix_id;
	event_id $http_webhook_id;
	retries 28h;
	signature $http_svix_signature $http_webhook_signature "separator= " prefix=v1, encoding=base64;
	signed $webhook_event_id.$webhook_timestamp.$request_body;
	timestamp $http_svix_timestamp $http_webhook_timestamp;
basic
	algorithm token;
	signature $http_authorization "prefix=Basic " encoding=base64;
bamotf
	dedup_key json:/idempotenceKey json:/event json:/data/paymentIntent/id;
	event_id json:/idempotenceKey;
	event_type json:/event;
	retries 3s;
	signature $http_x_webhook_signature separator=, prefix=d=;
	signed $request_body$webhook_timestamp;
	timestamp $http_x_webhook_signature separator=, prefix=v= unit=ms;
bitnob
	algorithm hmac-sha512;
	dedup_key json:/event_id;
	dedup_key body;
	event_id json:/event_id;
	event_id json:/data/id;
	event_type json:/event;
	signature $http_x_bitnob_signature;
bitnob-timestamped from=bitnob
	algorithm hmac-sha256;
	retries 31s;
	signed $http_x_bitnob_timestamp.$request_body;
	timestamp $http_x_bitnob_timestamp;
yoco from=standard-webhooks
	retries 28h;
	tolerance 3m;
nextpay
	event_id json:/id;
	event_type json:/type;
	retries 156m;
	signature $http_x_nextpay_signature;
stripe
	event_id json:/id;
	event_type json:/type;
	retries 73h;
	secret prefix=whsec_ keep;
	secret;
	signature $http_stripe_signature separator=, prefix=v1=;
	signed $webhook_timestamp.$request_body;
	timestamp $http_stripe_signature separator=, prefix=t=;
paddle
	event_id json:/event_id;
	event_type json:/event_type;
	retries 73h;
	signature $http_paddle_signature "separator=;" prefix=h1=;
	signed $webhook_timestamp:$request_body;
	timestamp $http_paddle_signature "separator=;" prefix=ts=;
	tolerance 5s;
recurly
	dedup_key body;
	event_id $http_recurly_notification_id;
	event_type json:/event_type;
	retries 74h;
	signature $http_recurly_signature separator=, item=2-;
	signed $webhook_timestamp.$request_body;
	timestamp $http_recurly_signature separator=, item=1 unit=s|ms;
square
	event_id json:/event_id;
	event_type json:/type;
	retries 25h;
	signature $http_x_square_hmacsha256_signature encoding=base64;
	signed https://$http_host$request_uri$request_body;
razorpay
	dedup_key body;
	event_id $http_x_razorpay_event_id;
	event_type json:/event;
	retries 24h;
	signature $http_x_razorpay_signature;
paystack
	algorithm hmac-sha512;
	dedup_key body;
	event_id json:/data/id;
	event_type json:/event;
	signature $http_x_paystack_signature;
flutterwave
	event_id json:/id;
	event_type json:/type;
	signature $http_flutterwave_signature encoding=base64;
checkout-com
	event_id json:/id;
	event_type json:/type;
	retries 30h;
	signature $http_cko_signature;
mollie
	event_id json:/id;
	event_type json:/type;
	signature $http_x_mollie_signature separator=, prefix=sha256=;
gocardless
	event_id json:/meta/webhook_id;
	event_type json:/events/0/action;
	signature $http_webhook_signature;
adyen-platform
	dedup_key body;
	event_id json:/data/id;
	event_type json:/type;
	retries 30d;
	secret encoding=hex;
	signature $http_hmacsignature encoding=base64;
lemon-squeezy
	dedup_key body;
	event_id json:/data/id;
	event_type $http_x_event_name;
	retries 155s;
	signature $http_x_signature;
dodo from=standard-webhooks
polar from=standard-webhooks
	secret encoding=raw;
affirm
	algorithm hmac-sha512;
	dedup_key body;
	signature $http_x_affirm_signature separator=, prefix=v0=;
	signed $webhook_timestamp.$request_body;
	timestamp $http_x_affirm_signature separator=, prefix=t=;
airwallex
	dedup_key body;
	signature $http_x_signature;
	signed $http_x_timestamp$request_body;
	timestamp $http_x_timestamp unit=ms;
authorize-net
	algorithm hmac-sha512;
	dedup_key body;
	secret encoding=hex;
	signature $http_x_anet_signature prefix=sha512=;
bolt
	dedup_key body;
	signature $http_x_bolt_hmac_sha256 $http_x_bolt_hmac_sha256_pending encoding=base64;
cashfree
	dedup_key body;
	signature $http_x_webhook_signature encoding=base64;
	signed $http_x_webhook_timestamp$request_body;
	timestamp $http_x_webhook_timestamp unit=ms;
chargify
	dedup_key body;
	event_id $http_x_chargify_webhook_id;
	signature $http_x_chargify_webhook_signature_hmac_sha_256;
dlocal
	dedup_key body;
	signature $http_authorization separator=, "prefix=Signature: ";
	signed ${http_x_login}$http_x_date$request_body;
	timestamp $http_x_date unit=rfc3339;
fastspring
	dedup_key body;
	signature $http_x_fs_signature encoding=base64;
monnify
	algorithm hmac-sha512;
	dedup_key body;
	signature $http_monnify_signature;
paymongo
	dedup_key body;
	signature $http_paymongo_signature separator=, prefix=li=;
	signed $webhook_timestamp.$request_body;
	timestamp $http_paymongo_signature separator=, prefix=t=;
paymongo-test from=paymongo
	signature $http_paymongo_signature separator=, prefix=te=;
worldline
	dedup_key body;
	signature $http_x_gcs_signature encoding=base64;
worldpay
	dedup_key body;
	secret encoding=hex;
	signature $http_event_signature separator=,/ item=3-;
orb
	dedup_key body;
	signature $http_x_orb_signature "separator= " prefix=v1=;
	signed v1:$http_x_orb_timestamp:$request_body;
	timestamp $http_x_orb_timestamp unit=iso8601;
chargebee from=basic
	dedup_key body;
tebex
	event_id json:/id;
	event_type json:/type;
	handshake signed post if=json:/type=validation.webhook echo=json:/id as=json:id;
	signature $http_x_signature;
	signed $webhook_body_sha256;
wechat-pay
	algorithm rsa-sha256;
	event_id json:/id;
	event_type json:/event_type;
	key_id $http_wechatpay_serial;
	retries 24h4m;
	signature $http_wechatpay_signature encoding=base64;
	signed $http_wechatpay_timestamp\n$http_wechatpay_nonce\n$request_body\n;
	timestamp $http_wechatpay_timestamp;
nmi
	dedup_key body;
	event_type json:/event_type;
	field nonce $http_webhook_signature separator=, prefix=t=;
	signature $http_webhook_signature separator=, prefix=s=;
	signed $webhook_field_nonce.$request_body;
cryptopay
	dedup_key body;
	signature $http_x_cryptopay_signature;
finix
	dedup_key body;
	signature $http_finix_signature separator=, prefix=sig=;
	signed $webhook_timestamp:$request_body;
	timestamp $http_finix_signature separator=, prefix=timestamp=;
fintoc
	dedup_key body;
	signature $http_fintoc_signature separator=, prefix=v1=;
	signed $webhook_timestamp.$request_body;
	timestamp $http_fintoc_signature separator=, prefix=t=;
flutterwave-v3
	algorithm token;
	dedup_key body;
	signature $http_verif_hash;
helcim from=standard-webhooks
revenuecat
	algorithm token;
	dedup_key body;
	event_type json:/event/type;
	signature $http_authorization;
revolut
	dedup_key off;
	event_type json:/event;
	signature $http_revolut_signature separator=, prefix=v1=;
	signed v1.$http_revolut_request_timestamp.$request_body;
	timestamp $http_revolut_request_timestamp unit=ms;
solidgate
	algorithm hmac-sha512;
	dedup_key off;
	signature $http_signature encoding=base64-hex;
	signed $http_merchant$request_body$http_merchant;
volt
	dedup_key body;
	field version $http_user_agent separator=/ item=2;
	signature $http_x_volt_signed;
	signed $request_body|$http_x_volt_timed|$webhook_field_version;
xendit
	algorithm token;
	dedup_key body;
	signature $http_x_callback_token;
coinbase-commerce
	event_id json:/event/id;
	event_type json:/event/type;
	retries 73h;
	signature $http_x_cc_webhook_signature;
btcpay
	event_id json:/originalDeliveryId;
	event_type json:/type;
	signature $http_btcpay_sig prefix=sha256=;
tatum
	algorithm hmac-sha512;
	dedup_key body;
	event_id json:/txId;
	signature $http_x_payload_hash encoding=base64;
alchemy
	event_id json:/id;
	event_type json:/type;
	signature $http_x_alchemy_signature;
quickbooks
	dedup_key body;
	event_id json:/0/id;
	event_type json:/0/type;
	signature $http_intuit_signature encoding=base64;
xero
	dedup_key body;
	event_id json:/firstEventSequence;
	event_type json:/events/0/eventType;
	signature $http_x_xero_signature encoding=base64;
brex from=svix
bridge-api
	dedup_key body;
	signature $http_bridgeapi_signature separator=, prefix=v1=;
coinflow
	dedup_key body;
	signature $http_coinflow_signature separator=, prefix=v1=;
	signed $webhook_timestamp.$request_body;
	timestamp $http_coinflow_signature separator=, prefix=t=;
coinify
	dedup_key body;
	signature $http_x_coinify_webhook_signature;
dwolla
	dedup_key body;
	signature $http_x_request_signature_sha_256;
lightspark
	dedup_key body;
	signature $http_lightspark_signature;
lithic from=svix
mercury
	dedup_key body;
	signature $http_mercury_signature separator=, prefix=v1=;
	signed $webhook_timestamp.$request_body;
	timestamp $http_mercury_signature separator=, prefix=t=;
modern-treasury
	dedup_key body;
	event_type $http_x_topic;
	signature $http_x_signature;
pleo from=svix
psi-fi from=svix
synctera
	dedup_key body;
	signature $http_synctera_signature separator=.;
	signed $http_request_timestamp.$request_body;
	timestamp $http_request_timestamp;
teller
	dedup_key body;
	signature $http_teller_signature separator=, prefix=v1=;
	signed $webhook_timestamp.$request_body;
	timestamp $http_teller_signature separator=, prefix=t=;
token-io
	algorithm ed25519;
	dedup_key off;
	event_type $http_token_event;
	secret encoding=base64url;
	signature $http_token_signature encoding=base64url;
wise
	algorithm rsa-sha256;
	dedup_key body;
	event_id $http_x_delivery_id;
	event_type json:/event_type;
	retries 14d;
	signature $http_x_signature_sha256 encoding=base64;
utila
	algorithm rsa-pss-sha512;
	event_id json:/id;
	event_type json:/type;
	signature $http_x_utila_signature encoding=base64;
tink
	dedup_key off;
	event_type json:/event;
	signature $http_x_tink_signature separator=, prefix=v1=;
	signed $webhook_timestamp.$request_body;
	timestamp $http_x_tink_signature separator=, prefix=t=;
setu
	dedup_key off;
	signature $http_x_setu_signature;
unit
	algorithm hmac-sha1;
	dedup_key body;
	signature $http_x_unit_signature encoding=base64;
crossmint from=svix
circle
	algorithm ecdsa-sha256;
	dedup_key body;
	event_id json:/notificationId;
	event_type json:/notificationType;
	key_id $http_x_circle_key_id;
	signature $http_x_circle_signature encoding=base64;
fireblocks
	algorithm rsa-sha512;
	dedup_key body;
	event_type json:/type;
	signature $http_fireblocks_signature encoding=base64;
rutter
	dedup_key off;
	event_type json:/type;
	signature $http_x_rutter_signature prefix=sha256= encoding=base64;
greendot from=basic
shopify
	dedup_key $http_x_shopify_topic body;
	dedup_key $http_shopify_topic body;
	event_id $http_x_shopify_webhook_id;
	event_id $http_shopify_webhook_id;
	event_type $http_x_shopify_topic;
	event_type $http_shopify_topic;
	retries 4h;
	signature $http_x_shopify_hmac_sha256 $http_shopify_hmac_sha256 encoding=base64;
woocommerce
	dedup_key $http_x_wc_webhook_topic body;
	event_id $http_x_wc_webhook_delivery_id;
	event_type $http_x_wc_webhook_topic;
	signature $http_x_wc_webhook_signature encoding=base64;
aftership
	dedup_key body;
	signature $http_aftership_hmac_sha256 encoding=base64;
akeneo
	dedup_key body;
	signature $http_x_akeneo_signature_primary $http_x_akeneo_signature_secondary;
akeneo-events
	dedup_key body;
	signature $http_x_akeneo_request_signature;
	signed $http_x_akeneo_request_timestamp.$request_body;
	timestamp $http_x_akeneo_request_timestamp;
commercelayer
	dedup_key $http_x_commercelayer_topic body;
	event_type $http_x_commercelayer_topic;
	signature $http_x_commercelayer_signature encoding=base64;
easypost
	dedup_key body;
	signature $http_x_hmac_signature prefix=hmac-sha256-hex=;
enode
	algorithm hmac-sha1;
	dedup_key body;
	event_id $http_x_enode_delivery;
	signature $http_x_enode_signature prefix=sha1=;
etsy from=standard-webhooks
fitbit
	algorithm hmac-sha1;
	dedup_key off;
	signature $http_x_fitbit_signature encoding=base64;
flexport
	dedup_key body;
	signature $http_x_hub_signature_256 prefix=sha256=;
fourthwall
	dedup_key body;
	signature $http_x_fourthwall_hmac_sha256 $http_x_fourthwall_hmac_apps_sha256 encoding=base64;
guesty from=svix
nash from=svix
oracle-commerce
	algorithm hmac-sha512;
	dedup_key off;
	signature $http_x_oracle_cc_webhook_signature encoding=base64;
picqer
	dedup_key body;
	signature $http_x_picqer_signature encoding=base64;
property-finder
	dedup_key off;
	signature $http_x_signature;
samsara
	dedup_key body;
	secret encoding=base64;
	signature $http_x_samsara_signature prefix=v1=;
	signed v1:$http_x_samsara_timestamp:$request_body;
	timestamp $http_x_samsara_timestamp;
smartcar
	dedup_key body;
	signature $http_sc_signature;
uber
	dedup_key body;
	signature $http_x_uber_signature;
onfleet
	algorithm hmac-sha512;
	dedup_key body;
	secret encoding=hex;
	signature $http_x_onfleet_signature;
shippo
	dedup_key body;
	signature $http_shippo_auth_signature separator=, prefix=v1=;
	signed $webhook_timestamp.$request_body;
	timestamp $http_shippo_auth_signature separator=, prefix=t=;
squarespace
	dedup_key body;
	secret encoding=hex;
	signature $http_squarespace_signature;
nuvemshop
	dedup_key off;
	event_type json:/event;
	signature $http_x_linkedstore_hmac_sha256;
tiendanube = nuvemshop
shiphero
	dedup_key off;
	event_id $http_x_shiphero_message_id;
	event_type json:/webhook_type;
	signature $http_x_shiphero_hmac_sha256 encoding=base64;
github
	dedup_key body;
	event_id $http_x_github_delivery;
	event_type $http_x_github_event;
	signature $http_x_hub_signature_256 prefix=sha256=;
gitlab from=standard-webhooks
	event_type $http_x_gitlab_event;
gitlab-token
	algorithm token;
	event_id $http_idempotency_key;
	event_type $http_x_gitlab_event;
	signature $http_x_gitlab_token;
gitea
	dedup_key body;
	event_id $http_x_gitea_delivery;
	event_type $http_x_gitea_event;
	signature $http_x_gitea_signature;
forgejo = gitea
bitbucket
	dedup_key body;
	event_id $http_x_request_uuid;
	event_type $http_x_event_key;
	signature $http_x_hub_signature prefix=sha256=;
bitbucket-server = bitbucket
jira
	dedup_key body;
	event_id $http_x_atlassian_webhook_identifier;
	event_type json:/webhookEvent;
	signature $http_x_hub_signature prefix=sha256=;
linear
	dedup_key body;
	event_id $http_linear_delivery;
	event_type $http_linear_event;
	retries 7h;
	signature $http_linear_signature;
	timestamp json:/webhookTimestamp unit=ms;
	tolerance 1m;
trello
	algorithm hmac-sha1;
	dedup_key json:/action/id json:/model/id;
	dedup_key body;
	event_id json:/action/id;
	event_type json:/action/type;
	handshake head status=200;
	signature $http_x_trello_webhook encoding=base64;
	signed ${request_body}https://$http_host$request_uri;
asana
	signature $http_x_hook_signature;
sentry
	dedup_key body;
	event_id $http_request_id;
	event_type $http_sentry_hook_resource;
	signature $http_sentry_hook_signature;
pagerduty
	event_id json:/event/id;
	event_type json:/event/event_type;
	signature $http_x_pagerduty_signature separator=, prefix=v1=;
vercel
	algorithm hmac-sha1;
	event_id json:/id;
	event_type json:/type;
	signature $http_x_vercel_signature;
autodesk
	algorithm hmac-sha1;
	dedup_key body;
	event_id $http_x_adsk_delivery_id;
	retries 48h;
	signature $http_x_adsk_signature prefix=sha1hash=;
buildkite
	dedup_key body;
	event_type $http_x_buildkite_event;
	signature $http_x_buildkite_signature separator=, prefix=signature=;
	signed $webhook_timestamp.$request_body;
	timestamp $http_x_buildkite_signature separator=, prefix=timestamp=;
buildkite-token
	algorithm token;
	dedup_key body;
	event_type $http_x_buildkite_event;
	signature $http_x_buildkite_token;
circleci
	dedup_key body;
	event_type $http_circleci_event_type;
	signature $http_circleci_signature separator=, prefix=v1=;
composio from=standard-webhooks
gogs
	dedup_key body;
	event_id $http_x_gogs_delivery;
	event_type $http_x_gogs_event;
	signature $http_x_gogs_signature;
grafana
	dedup_key off;
	signature $http_x_grafana_alerting_signature;
harness
	dedup_key off;
	event_type $http_x_harness_trigger;
	signature $http_x_harness_signature;
heroku
	dedup_key body;
	signature $http_heroku_webhook_hmac_sha256 encoding=base64;
hookdeck
	dedup_key off;
	event_id $http_x_hookdeck_eventid;
	signature $http_x_hookdeck_signature $http_x_hookdeck_signature_2 encoding=base64;
incident-io from=svix
launchdarkly
	dedup_key body;
	signature $http_x_ld_signature;
mongodb-atlas
	algorithm hmac-sha1;
	dedup_key body;
	signature $http_x_mms_signature encoding=base64;
nango
	dedup_key off;
	signature $http_x_nango_hmac_sha256;
outpost
	dedup_key body;
	event_id $http_x_outpost_event_id;
	event_type $http_x_outpost_topic;
	signature $http_x_outpost_signature separator=,=;
render from=svix
safebase from=svix
sonatype
	algorithm hmac-sha1;
	dedup_key body;
	event_id $http_x_nexus_webhook_delivery;
	event_type $http_x_nexus_webhook_id;
	signature $http_x_nexus_webhook_signature;
tailscale
	dedup_key body;
	signature $http_tailscale_webhook_signature separator=, prefix=v1=;
	signed $webhook_timestamp.$request_body;
	timestamp $http_tailscale_webhook_signature separator=, prefix=t=;
terraform
	algorithm hmac-sha512;
	dedup_key body;
	signature $http_x_tfe_notification_signature;
vanta from=svix
cloudflare
	algorithm token;
	dedup_key off;
	signature $http_cf_webhook_auth;
connectwise
	dedup_key body;
	secret digest=sha256;
	signature $http_x_content_signature encoding=base64;
daytona from=svix
expo
	algorithm hmac-sha1;
	dedup_key body;
	signature $http_expo_signature prefix=sha1=;
gitee
	algorithm token;
	dedup_key body;
	event_type $http_x_gitee_event;
	signature $http_x_gitee_token;
npm
	dedup_key body;
	event_type json:/event;
	signature $http_x_npm_signature prefix=sha256=;
snyk
	dedup_key body;
	signature $http_x_hub_signature prefix=sha256=;
slack
	event_id json:/event_id;
	event_type json:/event/type;
	handshake signed post if=json:/type=url_verification echo=json:/challenge;
	retries 10m;
	signature $http_x_slack_signature prefix=v0=;
	signed v0:$http_x_slack_request_timestamp:$request_body;
	timestamp $http_x_slack_request_timestamp;
zoom
	dedup_key body;
	event_type json:/event;
	handshake signed post if=json:/event=endpoint.url_validation hmac=json:/payload/plainToken as=json:encryptedToken with=json:plainToken;
	retries 90m;
	signature $http_x_zm_signature prefix=v0=;
	signed v0:$http_x_zm_request_timestamp:$request_body;
	timestamp $http_x_zm_request_timestamp;
zendesk
	dedup_key json:/zendesk_event_version json:/id;
	dedup_key body;
	event_id json:/id;
	event_type json:/type;
	signature $http_x_zendesk_webhook_signature encoding=base64;
	signed $http_x_zendesk_webhook_signature_timestamp$request_body;
	timestamp $http_x_zendesk_webhook_signature_timestamp unit=rfc3339;
intercom
	algorithm hmac-sha1;
	event_id json:/id;
	event_type json:/topic;
	signature $http_x_hub_signature prefix=sha1=;
line
	dedup_key body;
	event_id json:/events/0/webhookEventId;
	event_type json:/events/0/type;
	signature $http_x_line_signature encoding=base64;
telegram
	algorithm token;
	event_id json:/update_id;
	signature $http_x_telegram_bot_api_secret_token;
discord
	algorithm ed25519;
	dedup_key body;
	event_type json:/event/type;
	secret encoding=hex;
	signature $http_x_signature_ed25519;
	signed $http_x_signature_timestamp$request_body;
	timestamp $http_x_signature_timestamp;
resend from=svix
ably
	dedup_key off;
	signature $http_x_ably_signature encoding=base64;
agora
	dedup_key body;
	signature $http_agora_signature_v2;
airship
	dedup_key body;
	signature $http_x_ua_signature;
	signed $http_x_ua_timestamp:$request_body;
	timestamp $http_x_ua_timestamp;
beehiiv from=svix
courier
	dedup_key body;
	signature $http_courier_signature separator=, prefix=signature=;
	signed $webhook_timestamp.$request_body;
	timestamp $http_courier_signature separator=, prefix=t= unit=ms;
customerio
	event_id json:/event_id;
	event_type json:/metric;
	signature $http_x_cio_signature;
	signed v0:$http_x_cio_timestamp:$request_body;
	timestamp $http_x_cio_timestamp;
front
	dedup_key body;
	signature $http_x_front_signature encoding=base64;
	signed $http_x_front_request_timestamp:$request_body;
	timestamp $http_x_front_request_timestamp unit=ms;
knock
	dedup_key body;
	signature $http_x_knock_signature separator=, prefix=s= encoding=base64;
	signed $webhook_timestamp.$request_body;
	timestamp $http_x_knock_signature separator=, prefix=t= unit=ms;
lob
	dedup_key body;
	signature $http_lob_signature;
	signed $http_lob_signature_timestamp.$request_body;
	timestamp $http_lob_signature_timestamp unit=s|ms;
loops from=standard-webhooks
nylas
	dedup_key body;
	handshake get echo=query:challenge;
	signature $http_x_nylas_signature;
pusher
	dedup_key body;
	signature $http_x_pusher_signature;
pylon
	dedup_key off;
	signature $http_pylon_webhook_signature prefix=hs256=;
	signed $http_pylon_webhook_timestamp.$request_body;
	timestamp $http_pylon_webhook_timestamp;
ringcentral
	algorithm token;
	dedup_key body;
	signature $http_verification_token;
segment
	algorithm hmac-sha1;
	dedup_key body;
	signature $http_x_signature;
sendbird
	dedup_key off;
	signature $http_x_sendbird_signature;
sfmc
	dedup_key body;
	signature $http_x_sfmc_ens_signature encoding=base64;
sinch
	dedup_key body;
	signature $http_x_sinch_webhook_signature encoding=base64;
	signed $request_body.$http_x_sinch_webhook_signature_nonce.$http_x_sinch_webhook_signature_timestamp;
	timestamp $http_x_sinch_webhook_signature_timestamp;
sinch-numbers
	algorithm hmac-sha1;
	dedup_key body;
	signature $http_x_sinch_signature;
teams
	dedup_key body;
	secret encoding=base64;
	signature $http_authorization "prefix=HMAC " encoding=base64;
telnyx
	algorithm ed25519;
	event_id json:/data/id;
	event_type json:/data/event_type;
	secret encoding=base64;
	signature $http_telnyx_signature_ed25519 encoding=base64;
	signed $http_telnyx_timestamp|$request_body;
	timestamp $http_telnyx_timestamp;
viber
	dedup_key body;
	signature $http_x_viber_content_signature;
webex
	algorithm hmac-sha1;
	dedup_key off;
	signature $http_x_spark_signature;
klaviyo
	dedup_key body;
	signature $http_klaviyo_signature;
	signed $request_body$http_klaviyo_timestamp;
	timestamp $http_klaviyo_timestamp unit=http;
postmark from=basic
	dedup_key body;
sendgrid
	algorithm ecdsa-sha256;
	dedup_key body;
	signature $http_x_twilio_email_event_webhook_signature encoding=base64;
	signed $http_x_twilio_email_event_webhook_timestamp$request_body;
	timestamp $http_x_twilio_email_event_webhook_timestamp;
freshchat
	algorithm rsa-sha256;
	dedup_key body;
	event_type json:/action;
	signature $http_x_freshchat_signature encoding=base64;
postal
	algorithm rsa-sha1;
	event_id json:/uuid;
	event_type json:/event;
	signature $http_x_postal_signature encoding=base64;
postal-sha256 from=postal
	algorithm rsa-sha256;
	key_id $http_x_postal_signature_kid;
	signature $http_x_postal_signature_256 encoding=base64;
twilio
	algorithm hmac-sha1;
	dedup_key off;
	event_id $http_i_twilio_idempotency_token;
	signature $http_x_twilio_signature encoding=base64;
	signed https://$http_host$request_uri$webhook_form_sorted;
twilio-json from=twilio
	body_hash query:bodySHA256;
	dedup_key body;
	signed https://$http_host$request_uri;
mandrill
	algorithm hmac-sha1;
	dedup_key body;
	handshake head status=200;
	signature $http_x_mandrill_signature encoding=base64;
	signed https://$http_host$request_uri$webhook_form_sorted;
bandwidth from=basic
	dedup_key body;
brevo
	algorithm token;
	dedup_key body;
	event_type json:/event;
	signature $http_authorization "prefix=Bearer ";
crisp
	dedup_key body;
	event_type json:/event;
	signature $http_x_crisp_signature;
	signed "[$http_x_crisp_request_timestamp;$request_body]";
	timestamp $http_x_crisp_request_timestamp unit=s|ms;
daily
	dedup_key body;
	event_type json:/type;
	secret encoding=base64;
	signature $http_x_webhook_signature encoding=base64;
	signed $http_x_webhook_timestamp.$request_body;
	timestamp $http_x_webhook_timestamp unit=s|ms;
helpscout
	algorithm hmac-sha1;
	dedup_key $http_x_helpscout_event body;
	event_type $http_x_helpscout_event;
	signature $http_x_helpscout_signature encoding=base64;
whereby
	dedup_key body;
	event_type json:/type;
	signature $http_whereby_signature separator=, prefix=v1=;
	signed $webhook_timestamp.$request_body;
	timestamp $http_whereby_signature separator=, prefix=t=;
meta
	dedup_key body;
	event_type json:/object;
	handshake get if=query:hub.mode=subscribe token=query:hub.verify_token echo=query:hub.challenge grammar=digits;
	retries 7d;
	signature $http_x_hub_signature_256 prefix=sha256=;
facebook = meta
instagram = meta
messenger = meta
whatsapp = meta
twitch
	event_id $http_twitch_eventsub_message_id;
	event_type $http_twitch_eventsub_subscription_type;
	handshake signed post if=$http_twitch_eventsub_message_type=webhook_callback_verification echo=json:/challenge;
	signature $http_twitch_eventsub_message_signature prefix=sha256=;
	signed $http_twitch_eventsub_message_id$http_twitch_eventsub_message_timestamp$request_body;
	timestamp $http_twitch_eventsub_message_timestamp unit=rfc3339;
	tolerance 10m;
mux
	event_id json:/id;
	event_type json:/type;
	retries 24h;
	signature $http_mux_signature separator=, prefix=v1=;
	signed $webhook_timestamp.$request_body;
	timestamp $http_mux_signature separator=, prefix=t=;
box
	dedup_key body;
	event_id $http_box_delivery_id;
	event_type json:/trigger;
	retries 3h;
	signature $http_box_signature_primary $http_box_signature_secondary encoding=base64;
	signed $request_body$http_box_delivery_timestamp;
	timestamp $http_box_delivery_timestamp unit=rfc3339;
	tolerance 10m 60s;
dropbox
	handshake get echo=query:challenge;
	signature $http_x_dropbox_signature;
frame-io
	dedup_key off;
	signature $http_x_frameio_signature prefix=v0=;
	signed v0:$http_x_frameio_request_timestamp:$request_body;
	timestamp $http_x_frameio_request_timestamp;
linkedin
	dedup_key body;
	signature $http_x_li_signature;
	signed hmacsha256=$request_body;
sanity
	dedup_key off;
	signature $http_sanity_webhook_signature separator=, prefix=v1= encoding=base64url;
	signed $webhook_timestamp.$request_body;
	timestamp $http_sanity_webhook_signature separator=, prefix=t= unit=ms;
tiktok
	dedup_key body;
	signature $http_tiktok_signature separator=, prefix=s=;
	signed $webhook_timestamp.$request_body;
	timestamp $http_tiktok_signature separator=, prefix=t=;
webflow
	dedup_key body;
	signature $http_x_webflow_signature;
	signed $http_x_webflow_timestamp:$request_body;
	timestamp $http_x_webflow_timestamp unit=ms;
wistia
	dedup_key body;
	signature $http_x_wistia_signature;
x
	dedup_key body;
	handshake get hmac=query:crc_token as=json:response_token prefix=sha256= encoding=base64;
	signature $http_x_twitter_webhooks_signature prefix=sha256= encoding=base64;
twitter = x
patreon
	algorithm hmac-md5;
	dedup_key $http_x_patreon_event body;
	event_type $http_x_patreon_event;
	signature $http_x_patreon_signature;
kick
	algorithm rsa-sha256;
	event_id $http_kick_event_message_id;
	event_type $http_kick_event_type;
	signature $http_kick_event_signature encoding=base64;
	signed $http_kick_event_message_id.$http_kick_event_message_timestamp.$request_body;
	timestamp $http_kick_event_message_timestamp unit=rfc3339;
cloudflare-stream
	dedup_key body;
	signature $http_webhook_signature separator=, prefix=sig1=;
	signed $webhook_timestamp.$request_body;
	timestamp $http_webhook_signature separator=, prefix=time=;
dub
	dedup_key body;
	event_type json:/event;
	signature $http_dub_signature;
liveblocks from=standard-webhooks
calendly
	dedup_key body;
	event_type json:/event;
	retries 24h;
	signature $http_calendly_webhook_signature separator=, prefix=v1=;
	signed $webhook_timestamp.$request_body;
	timestamp $http_calendly_webhook_signature separator=, prefix=t=;
typeform
	event_id json:/event_id;
	event_type json:/event_type;
	signature $http_typeform_signature prefix=sha256= encoding=base64;
airtable
	dedup_key body;
	secret encoding=base64;
	signature $http_x_airtable_content_mac prefix=hmac-sha256=;
hubspot-v3
	dedup_key body;
	event_id json:/0/eventId;
	event_type json:/0/subscriptionType;
	retries 24h;
	signature $http_x_hubspot_signature_v3 encoding=base64;
	signed ${request_method}https://$http_host$request_uri$request_body$http_x_hubspot_request_timestamp;
	timestamp $http_x_hubspot_request_timestamp unit=ms;
docusign
	dedup_key body;
	event_type json:/event;
	signature $http_x_docusign_signature_1 $http_x_docusign_signature_2 $http_x_docusign_signature_3 $http_x_docusign_signature_4 $http_x_docusign_signature_5 $http_x_docusign_signature_6 $http_x_docusign_signature_7 $http_x_docusign_signature_8 encoding=base64;
acuity
	dedup_key off;
	signature $http_x_acuity_signature encoding=base64;
adobe-sign
	algorithm token;
	dedup_key body;
	signature $http_x_adobesign_clientid;
ashby
	dedup_key body;
	signature $http_ashby_signature prefix=sha256=;
attio
	dedup_key off;
	event_type json:/events/0/event_type;
	signature $http_attio_signature;
bamboohr
	dedup_key body;
	signature $http_x_bamboohr_signature;
	signed $request_body$http_x_bamboohr_timestamp;
	timestamp $http_x_bamboohr_timestamp;
cal-com
	dedup_key body;
	event_type json:/triggerEvent;
	signature $http_x_cal_signature_256;
clio
	dedup_key off;
	signature $http_x_hook_signature;
close
	dedup_key body;
	event_type json:/event/action;
	retries 72h;
	secret encoding=hex;
	signature $http_close_sig_hash;
	signed $http_close_sig_timestamp$request_body;
	timestamp $http_close_sig_timestamp;
fireflies
	dedup_key off;
	signature $http_x_hub_signature prefix=sha256=;
gusto
	dedup_key body;
	signature $http_x_gusto_signature;
notion
	event_id json:/id;
	event_type json:/type;
	signature $http_x_notion_signature prefix=sha256=;
pandadoc
	dedup_key body;
	signature $arg_signature;
pinwheel
	dedup_key body;
	signature $http_x_pinwheel_signature prefix=v2=;
	signed v2:$http_x_timestamp:$request_body;
	timestamp $http_x_timestamp;
tally
	dedup_key body;
	signature $http_tally_signature encoding=base64;
workable
	dedup_key body;
	signature $http_x_workable_signature;
pipedrive from=basic
	dedup_key body;
highlevel
	algorithm rsa-sha256;
	dedup_key body;
	event_id json:/webhookId;
	event_type json:/type;
	signature $http_x_wh_signature encoding=base64;
highlevel-ed25519 from=highlevel
	algorithm ed25519;
	signature $http_x_ghl_signature encoding=base64;
cituro
	dedup_key off;
	event_type json:/type;
	signature $http_x_cituro_signature separator=, prefix=s=;
	signed $webhook_timestamp.$request_body;
	timestamp $http_x_cituro_signature separator=, prefix=t= unit=s|ms;
clickup
	dedup_key off;
	event_type json:/event;
	signature $http_x_signature;
fathom from=standard-webhooks
google-calendar
	algorithm token;
	event_id $http_x_goog_channel_id $http_x_goog_message_number;
	event_type $http_x_goog_resource_state;
	signature $http_x_goog_channel_token;
hibob
	algorithm hmac-sha512;
	dedup_key body;
	event_type json:/type;
	signature $http_bob_signature encoding=base64;
jobber
	dedup_key body;
	event_type json:/data/webHookEvent/topic;
	signature $http_x_jobber_hmac_sha256 encoding=base64;
savvycal
	dedup_key body;
	event_type json:/type;
	signature $http_x_savvycal_signature prefix=sha256=;
oura
	dedup_key body;
	event_type json:/data_type json:/event_type;
	handshake get token=query:verification_token echo=query:challenge as=json:challenge;
	signature $http_x_oura_signature;
	signed $http_x_oura_timestamp$request_body;
	timestamp $http_x_oura_timestamp;
go1
	dedup_key off;
	signature $http_go1_signature separator=,= item=4;
	signed $webhook_timestamp.$request_body;
	timestamp $http_go1_signature separator=,= item=2;
	tolerance 1m;
clerk from=svix
workos
	event_id json:/id;
	event_type json:/event;
	retries 3d;
	signature $http_workos_signature separator=, prefix=v1=;
	signed $webhook_timestamp.$request_body;
	timestamp $http_workos_signature separator=, prefix=t= unit=ms;
	tolerance 3m;
persona
	event_id json:/data/id;
	event_type json:/data/attributes/name;
	signature $http_persona_signature "group= " separator=, prefix=v1=;
	signed $webhook_timestamp.$request_body;
	timestamp $http_persona_signature "group= " separator=, prefix=t=;
onfido
	dedup_key body;
	event_id json:/payload/object/id;
	event_type json:/payload/action;
	signature $http_x_sha2_signature;
aiprise
	dedup_key off;
	signature $http_x_hmac_signature;
castle
	dedup_key body;
	signature $http_x_castle_signature encoding=base64;
checkr
	dedup_key body;
	signature $http_x_checkr_signature;
okta
	algorithm token;
	dedup_key body;
	handshake get echo=$http_x_okta_verification_challenge as=json:verification;
	signature $http_authorization;
sardine from=svix
stytch from=svix
sumsub
	dedup_key body;
	signature $http_x_payload_digest;
supabase from=standard-webhooks
	secret prefix=v1,whsec_ encoding=base64;
	secret prefix=whsec_ encoding=base64;
	secret encoding=base64;
vmware from=basic
auth0
	algorithm token;
	dedup_key body;
	signature $http_authorization;
signifyd
	dedup_key $http_x_signifyd_topic body;
	event_type $http_x_signifyd_topic;
	signature $http_x_signifyd_sec_hmac_sha256 encoding=base64;
veriff
	dedup_key off;
	signature $http_x_hmac_signature $http_vrf_hmac_signature;
openai from=standard-webhooks
	secret prefix=whsec_ encoding=base64;
	secret encoding=raw;
cursor
	dedup_key body;
	signature $http_x_webhook_signature prefix=sha256=;
deepgram
	algorithm token;
	dedup_key body;
	signature $http_dg_token;
elevenlabs
	dedup_key body;
	event_type json:/type;
	signature $http_elevenlabs_signature separator=, prefix=v0=;
	signed $webhook_timestamp.$request_body;
	timestamp $http_elevenlabs_signature separator=, prefix=t=;
	tolerance 30m 5m;
gemini from=standard-webhooks
hume
	dedup_key body;
	signature $http_x_hume_ai_webhook_signature;
	signed $request_body.$http_x_hume_ai_webhook_timestamp;
	timestamp $http_x_hume_ai_webhook_timestamp;
replicate from=svix
	event_type json:/status;
retell
	dedup_key body;
	event_type json:/event;
	signature $http_x_retell_signature separator=, prefix=d=;
	signed $request_body$webhook_timestamp;
	timestamp $http_x_retell_signature separator=, prefix=v= unit=ms;
vapi
	algorithm token;
	dedup_key body;
	signature $http_x_vapi_secret;
huggingface
	algorithm token;
	dedup_key off;
	event_type json:/event/scope json:/event/action;
	signature $http_x_webhook_secret;
recall-ai from=svix
	event_type json:/event;
anthropic from=standard-webhooks
	event_type json:/data/type;
claude = anthropic
