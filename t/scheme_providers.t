#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the built-in schemes, each against a signer made from what the
# provider documents: what is genuine passes and is named rightly, what was
# changed, is stale, or is signed with another secret does not; old and new
# secrets during a rotation; retries are duplicates, and other events of the
# same thing are not.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;
use Test::Nginx::Providers;

use MIME::Base64 qw/ decode_base64 encode_base64 /;
use Time::HiRes qw/ time /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $start = 1764000000;

my @names = providers();
my @timed = grep { defined provider($_)->{unit} } @names;
my @lists = grep { defined provider($_)->{list} } @names;
my @tokens = grep { provider($_)->{alg} eq 'token' } @names;
my @warned = grep { provider($_)->{dedup} } @tokens;
my @dedup = grep { provider($_)->{dedup} } @names;
my @parts = grep { keys %{provider($_)->{signs}} > 1 } @names;
my @more = grep { @{provider($_)->{more}} } @names;
my @ids = grep { my $p = provider($_); defined $p->{id} && $p->{dedup}
	&& !$p->{signs}{id} && $p->{body} !~ /\{id\}/ && $p->{alg} ne 'token' }
	@names;

# other names, each with the one that it stands for

my @others = map { [ split ] } map { s/",? "/ /gr }
	project_text('src/scheme/ngx_http_webhook_builtin_*.c')
	=~ /^    \{ "([^"]+", "[^"]+)", NULL \},$/mg;

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faketime();

my $tests = 5 * @names + (@names - @tokens) + @parts + 3 * @timed + @lists
	+ @more + @ids + 2 * @dedup + 2 * @others
	+ @tokens + 2 * @warned + 58;

$t->plan($tests);

my $locations = '';

foreach my $name (@names) {
	my $dedup = provider($name)->{dedup} ? 'webhook_dedup zone=events;' : '';
	my $source = source($name);

	write_secrets($name, secrets($name, 'new', 'old'));

	$locations .= <<"EOF_";
        location = /hooks/$name {
            webhook_verify  $name;
            webhook_secret  $source%%TESTDIR%%/$name.secret;
            $dedup
            proxy_pass      http://127.0.0.1:8081;
        }
EOF_
}

foreach (@others) {
	my ($other, $name) = @$_;

	$locations .= <<"EOF_";
        location = /hooks/$other {
            webhook_verify  $other;
            webhook_secret  file:%%TESTDIR%%/$name.secret;
            proxy_pass      http://127.0.0.1:8081;
        }
EOF_
}

# one key in other forms

(my $base64 = (secrets('standard-webhooks', 'new'))[0]) =~ s/^whsec_//;

write_secrets('unprefixed', $base64);
write_secrets('openai-raw', decode_base64($base64));

$t->write_file_expand('nginx.conf', <<"EOF_");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:1m;

    proxy_set_header  X-Id      \$webhook_event_id;
    proxy_set_header  X-Type    \$webhook_event_type;
    proxy_set_header  X-Scheme  \$webhook_scheme;
    proxy_set_header  X-Secret  \$webhook_secret_index;

    server {
        listen       127.0.0.1:8080;
        server_name  hooks.example.com;

$locations

        location = /hooks/openai-raw {
            webhook_verify  openai;
            webhook_secret  file:%%TESTDIR%%/openai-raw.secret;
            proxy_pass      http://127.0.0.1:8081;
        }

        location = /hooks/unprefixed {
            webhook_verify  standard-webhooks;
            webhook_secret  file:%%TESTDIR%%/unprefixed.secret;
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}

EOF_

my $u = upstream(8081);

$t->clock($start)->run();

###############################################################################

# each has numbers of its own

my %n = map { $_ => 10 } @names;
my $first = 11;

foreach my $name (@names) {
	my $p = provider($name);
	my $e = fresh($name);

	is(told($e), told_of($name, $e, 1), "$name - genuine")
		or diag("$name is one thing in src/scheme/, and another one in "
			. "t/providers.txt:\n", ($t->lines(qr/webhook/))[-1]);

	$e = fresh($name, key => 'old');
	is(told($e), told_of($name, $e, 2), "$name - old secret");

	is(verdict(fresh($name, key => 'wrong')), 'refused',
		"$name - wrong secret");

	$e = fresh($name);

	is(all(map { +{ %$e, body => $_ } } changed($e->{body})), 'refused',
		"$name - another body") unless $p->{alg} eq 'token';

	is(all(map { with($e, $p->{sig}[0] => $_) } digests($name, $e)),
		'refused', "$name - another digest");

	is(all(other_parts($name, $e)), 'refused', "$name - what else is signed")
		if keys %{$p->{signs}} > 1;

	is(verdict($e), 'passed', "$name - nothing of that is remembered");
}

# window

foreach my $name (@timed) {
	my $p = provider($name);

	is(all(map { fresh($name, ts => $start + $_) } -$p->{past}, 0,
		$p->{future}), 'passed', "$name - within the window");

	is(all(map { fresh($name, ts => $start + $_) } -$p->{past} - 1,
			$p->{future} + 1, -86400, 86400),
		'refused', "$name - beyond it");
}

foreach my $name (@timed) {
	is(all(map { fresh($name, ts_text => $_) } other_times($name)),
		'refused', "$name - time in another form");
}

# several signatures in the header

foreach my $name (@lists) {
	is(verdicts(map { fresh($name, key => $_) }
			[ 'new', 'old' ], [ 'old', 'new' ], [ 'wrong', 'new' ],
			[ 'old', 'wrong' ], [ 'wrong', 'wronger' ]),
		'passed, passed, passed, passed, refused',
		"$name - two signatures");
}

# or in another one

foreach my $name (@more) {
	is(all(map { fresh($name, sig => $_) } @{provider($name)->{more}}),
		'passed', "$name - signature in another header");
}

# an id that anybody can change is not what is remembered

foreach my $name (@ids) {
	my $e = fresh($name);

	is(verdicts($e, same($name, id => 'other')), 'passed, duplicate',
		"$name - id not signed");
}

###############################################################################

# tokens

foreach my $name (@tokens) {
	my ($token) = secrets($name, 'new');
	my $p = provider($name);
	my $header = $p->{sig}[0];

	is(all(map { with(fresh($name), $header => ref $_ ? [ map { $p->{sig}[1]
			=~ s/\{digest\}/encoded($p, $_)/er } @$_ ]
			: $p->{sig}[1] =~ s/\{digest\}/encoded($p, $_)/er) }
			substr($token, 0, -1), substr($token, 0, 1),
			substr($token, 1), "${token}x", "x$token",
			$token . $token, "$token,$token", uc $token,
			# nginx itself refuses two of these
			$header eq 'Authorization' ? () : [ $token, $token ]),
		'refused', "$name - almost the token");
}

# one digest for each key, in headers of their own

is(verdicts(map { fresh('box', sig => 'box-signature-secondary', key => $_) }
		qw/ new old wrong /),
	'passed, passed, refused', 'box - secondary signature alone');

is(verdicts(map { several('box', @$_) }
		[ 'wrong', 'old' ], [ 'new', 'wrong' ], [ 'old', 'new' ],
		[ 'wrong', 'wronger' ]),
	'passed, passed, passed, refused', 'box - two signatures');

is(verdicts(map { fresh('docusign', sig => "x-docusign-signature-$_") }
		1 .. 9),
	'passed, ' x 8 . 'refused', 'docusign - place of the header');

is(verdicts(map { several('docusign', @$_) }
		[ 'wrong', 'new' ], [ 'new', 'wrong' ],
		[ 'wrong', 'wronger', 'old' ], [ ('wrong') x 8 ]),
	'passed, passed, passed, refused', 'docusign - several headers');

# the header sent twice

is(verdicts(map { lines('mollie', @$_) }
		[ 'new', 'old' ], [ 'old', 'new' ], [ 'wrong', 'new' ],
		[ 'old', 'wrong' ], [ 'wrong', 'wronger' ]),
	'passed, passed, passed, passed, refused', 'mollie - two lines');

# sets of a timestamp and its signatures

{
	my $e = fresh('persona');
	my ($now, $then, $old) = ($start, $start - 10, $start - 301);

	my $set = sub {
		my ($key, $ts, $signed) = @_;
		return "t=$ts,v1=" . signature('persona', $key,
			($signed || $ts) . ".$e->{body}");
	};

	my $try = sub {
		return map { with($e, 'persona-signature' => $_) } @_;
	};

	my ($a, $b) = ($set->('new', $now, $then), $set->('new', $then, $now));

	is(all($try->("$a $b", "$b $a", $set->('wrong', $now) . " $a",
			"$b " . $set->('wrong', $then))),
		'refused', 'persona - crossed sets');

	my $stale = $set->('new', $old);
	my $wrong = $set->('wrong', $now);

	is(all($try->($stale, "$stale $wrong", "$wrong $stale")), 'refused',
		'persona - one set is right, the other fresh');

	is(verdicts($try->($set->('new', $now) . ' ' . $set->('old', $then),
			$wrong . ' ' . $set->('new', $then),
			$set->('old', $then) . " $wrong")),
		'passed, duplicate, duplicate', 'persona - one set is enough');
}

# other names of a digest, and of headers

{
	my $e = fresh('go1');

	is(verdict(with($e, 'Go1-Signature' => "t=$e->{ts},s=$e->{digest}")),
		'passed', 'go1 - s=');
	is(all(map { with(fresh('go1'), 'Go1-Signature' => $_) }
			"t=$e->{ts},s=" . $e->{digest} =~ s/^./x/r,
			"s=$e->{digest},t=$e->{ts}", "t=$e->{ts}"),
		'refused', 'go1 - anything else');
}

foreach my $name (qw/ svix resend clerk /) {
	my $e = renamed(fresh($name), 'svix-' => 'webhook-');
	is(told($e), told_of($name, $e, 1), "$name - Webhook-Signature");
}

{
	my $e = renamed(fresh('shopify'), 'x-shopify-' => 'shopify-');
	is(told($e), told_of('shopify', $e, 1), 'shopify - without X-');

	my $other = renamed(same('shopify', type => 'orders/paid'),
		'x-shopify-' => 'shopify-');
	is(verdicts($e, $other), 'duplicate, passed',
		'shopify - without X-, again and of another topic');
}

# other names of schemes

foreach (@others) {
	my ($other, $name) = @$_;
	my $e = fresh($name, uri => "/hooks/$other");

	is(told($e), told_of($name, $e, 1), "$other - other name of $name");
	is(all(map { +{ %$e, body => $_ } } changed($e->{body})), 'refused',
		"$other - another body");
}

# one body for two topics, one action for two models

foreach my $name (qw/ shopify woocommerce /) {
	my $e = fresh($name);
	my $other = same($name, type => 'orders/paid');

	is(verdicts($e, $other, $e, $other),
		'passed, passed, duplicate, duplicate', "$name - other topic");

	my ($header) = map { $_->[0] } grep { $_->[0] =~ /topic/ }
		@{$e->{headers}};

	is(all(map { with($e, $header => $_) } undef, '', 'a' x 129, "a\tb",
			'a b', "$e->{type},"),
		'refused', "$name - no topic");
}

{
	my $e = fresh('trello');
	(my $body = $e->{body}) =~ s/board1/board2/;
	my $other = same('trello', body => $body);

	is(verdicts($e, $other, $e, $other),
		'passed, passed, duplicate, duplicate', 'trello - other model');
}

# older events have no id: one card is topped up twice

{
	my @e = map { fresh('bitnob', id => 'card_1', body => $_) }
		map { '{"event":"card.topup","data":{"id":"card_1",'
			. "\"reference\":\"$_\"}}" } qw/ a b /;

	is(told($e[0]), told_of('bitnob', $e[0], 1), 'bitnob - older event');
	is(verdicts(@e, @e), 'duplicate, passed, duplicate, duplicate',
		'bitnob - older events of one card');
}

# what has neither is remembered as it is

{
	my @e = map { fresh('trello', body => "{\"webhook\":\"$_\"}") } 1, 2;

	is(verdicts(@e, @e), 'passed, passed, duplicate, duplicate',
		'trello - no action');
}

# what triggers and automations send is written by the administrator: its id may
# be that of a ticket

{
	my @e = map { fresh('zendesk', body => "{\"id\":1,\"status\":\"$_\"}") }
		qw/ open solved /;

	is(verdicts(@e, @e), 'passed, passed, duplicate, duplicate',
		'zendesk - triggers of one ticket');
}

# job numbers start again when the sender has lost its queue

{
	my $e = fresh('bamotf');
	(my $body = $e->{body}) =~ s/pi_1/pi_2/;

	is(verdicts($e, same('bamotf', body => $body)), 'passed, passed',
		'bamotf - same number, other payment');
}

# digits can be moved between body and timestamp

{
	my $e = fresh('bamotf', body => '{"id":7}1');
	my ($ts, $digest) = $e->{headers}[-1][1] =~ /^v=(\d+),d=(\w+)$/;

	is(all(map { +{ %$_, body => $_->{moved} } }
			map { +{ %{with($e, 'x-webhook-signature'
				=> "v=$_->[1],d=$digest")}, moved => $_->[0] } }
			[ $e->{body} . substr($ts, 0, 1), substr($ts, 1) ],
			[ substr($e->{body}, 0, -1), "1$ts" ]),
		'refused', 'bamotf - digit moved');
}

# forms of a secret

is(verdict({ event('standard-webhooks', uri => '/hooks/openai-raw') }), 'passed',
	'openai - secret that is not encoded');
is(verdict({ event('standard-webhooks', uri => '/hooks/unprefixed') }),
	'passed', 'standard-webhooks - secret without whsec_');

# labels

{
	my $e = fresh('standard-webhooks');
	my ($digest) = $e->{headers}[-1][1] =~ /^v1,(.*)/;

	is(all(map { with($e, 'webhook-signature' => $_) }
			$digest, "v2,$digest", "v1a,$digest", "v1=$digest",
			"V1,$digest", "v1,$digest,v1,$digest", "v1,v1,$digest"),
		'refused', 'standard-webhooks - unknown labels');

	is(verdict(with($e, 'webhook-signature' => "v1a,$digest v2,x v1,$digest")),
		'passed', 'standard-webhooks - beside unknown labels');

	$e = fresh('standard-webhooks-ed25519');
	my $value = $e->{headers}[-1][1];

	is(verdict(with($e, 'webhook-signature' => "v1,$digest $value")),
		'passed', 'standard-webhooks-ed25519 - beside v1');
}

{
	my $e = fresh('stripe');
	my $value = $e->{headers}[-1][1];
	(my $v0 = $value) =~ s/v1=/v0=/;

	is(verdicts(map { with($e, 'stripe-signature' => $_) }
			$v0, "$value,v0=6ffbb59b2300aae63f272406069a9788"),
		'refused, passed', 'stripe - v0 is skipped');

	$e = fresh('workos');
	($value = $e->{headers}[-1][1]) =~ s/, /,/;

	is(verdict(with($e, 'workos-signature' => $value)), 'passed',
		'workos - no space');
}

# timestamps

is(verdicts(map { fresh('recurly', ts_text => $_) }
		"${start}000", ($start - 300) . '000', ($start - 301) . '000'),
	'passed, passed, refused', 'recurly - milliseconds');

is(all(map { fresh('twitch', ts_text => $_) }
		'2025-11-24T16:00:00Z', '2025-11-24T15:59:59.999999999Z',
		'2025-11-24T16:00:00+00:00', '2025-11-24T17:00:00.5+01:00'),
	'passed', 'twitch - forms of a time');

# requests

is(verdict({ %{fresh('woocommerce')}, http => '1.0' }), 'passed',
	'woocommerce - HTTP/1.0');
is(verdict(fresh('hubspot-v3', method => 'PUT')), 'passed',
	'hubspot-v3 - PUT');
is(all(map { fresh('square', uri => $_, n => ++$n{square}) }
		'/hooks/square', '/hooks/square?a=%20b&c', '/hooks//square?'),
	'passed', 'square - as it was requested');

# handshakes that are signed

my %handshakes = (
	'slack' => '{"type":"url_verification","challenge":"3eZbrw1aBm2rZg"}',
	'zoom' => '{"event":"endpoint.url_validation",'
		. '"payload":{"plainToken":"q"}}',
	'twitch' => '{"challenge":"pogchamp-kappa-360noscope-vohiyo"}',
	'line' => '{"destination":"U1","events":[]}',
	'discord' => '{"version":1,"application_id":"1","type":0}',
	'xero' => '{"events":[],"firstEventSequence":0,"lastEventSequence":0}',
);

foreach my $name (sort keys %handshakes) {
	is(verdict(fresh($name, body => $handshakes{$name})), 'passed',
		"$name - handshake");
}

# several events in one request: the first is the same

foreach my $name (qw/ hubspot-v3 line quickbooks xero gocardless /) {
	my @e = map { fresh($name) } 1, 2;

	is(verdicts(@e, @e), 'passed, passed, duplicate, duplicate',
		"$name - other events behind the first");
}

###############################################################################

# The time of linear is in the body, so only within the window is there
# anything to be recognised.

is(verdict({ event('linear', n => $first) }), 'duplicate', 'linear - replay');

# what the provider sends again is a duplicate for as long as it does so, and
# another event of the same thing is not

foreach my $name (sort { provider($a)->{retries} <=> provider($b)->{retries} }
	@dedup)
{
	my $p = provider($name);
	my $now = $start + $p->{retries} - 1;

	$t->clock($now) unless $t->clock() == $now;

	my $linear = $name eq 'linear';
	my $e = { event($name, n => $first, attempt => 2,
		$linear ? (ts => $start) : ()) };

	is(verdict($e), $linear ? 'refused' : 'duplicate', "$name - retry");

	$e = fresh($name, attempt => 2);
	is(told($e), told_of($name, $e, 1), "$name - other event");
}

###############################################################################

# configuration

foreach my $name (qw/ dropbox asana /) {
	my ($rc, $out) = test($name, 'webhook_dedup zone=z;');

	like("$rc $out", qr/^1 .*\[emerg\] .* in \S+conf_test\.conf:\d+/s,
		"$name - nothing to deduplicate by");
	is((test($name, ''))[0], 0, "$name - verified only");
}

foreach my $name (@warned) {
	my ($rc, $out) = test($name, 'webhook_dedup zone=z;');

	like("$rc $out", qr/^0 .*\[warn\] .* in \S+conf_test\.conf:\d+/s,
		"$name - deduplicated, with a warning");
	unlike((test($name, ''))[1], qr/not signed|cover/,
		"$name - verified only");
}

{
	my $every = join '', map { location($_, provider($_)->{dedup}
		? 'webhook_dedup zone=z;' : '') } @names;
	(my $none = $every) =~ s/webhook_\w+ [^;]*;//g;

	my ($rc, $out) = $t->conf_test(conf($every), in => 'http');

	is($rc, 0, 'all in one configuration');

	my %warned = map { $_ => 1 } map { /webhook_verify ([\w-]+)"/ }
		grep { /\[warn\]/ && !/no protection/ } split /\n/, $out;

	is(join(' ', grep { $warned{$_} } @names), join(' ', @warned),
		'none but tokens is warned about');

	# what they cost, for who asks for it by TEST_NGINX_VERBOSE

	if ($ENV{TEST_NGINX_VERBOSE}) {
		my ($with, $without) = (0, 0);

		foreach (1 .. 8) {
			$with += seconds($every) / 8;
			$without += seconds($none) / 8;
		}

		diag(sprintf('nginx -t, all schemes: %.1f ms; none: %.1f ms',
			$with * 1000, $without * 1000));
	}
}

my %described = map { $_ => 1 } @names;
my %built_in = map { $_ => 1 } built_in();

is(join(' ', grep { !$described{$_} } sort keys %built_in), '',
	'all that are built in are described')
	or diag('These are in src/scheme/ and have no line in t/providers.txt, '
		. 'see "A provider" in DEVELOPMENT.md.');
is(join(' ', grep { !$built_in{$_} } @names), '',
	'all that are described are built in')
	or diag('These have a line in t/providers.txt and are not in src/scheme/.');

###############################################################################

sub write_secrets {
	my ($name, @secrets) = @_;

	$t->write_file("$name.secret", join '', map { "$_\n" } @secrets);
	chmod 0600, $t->testdir() . "/$name.secret";
}

# another event of the provider's thing; the last one, in part another

sub fresh {
	my ($name, %opts) = @_;
	return { event($name, n => ++$n{$name}, %opts) };
}

sub same {
	my ($name, %opts) = @_;
	return { event($name, n => $n{$name}, %opts) };
}

# what comes of a request, and what of several

sub verdict {
	my ($e) = @_;

	$u->reset();

	my $r = request(%$e);
	my @requests = $u->requests();

	if (@requests == 1 and $r->{status} == 200) {
		return 'passed' if $requests[0]{body} eq $e->{body}
			and $requests[0]{state} eq 'complete';

		return 'damaged';
	}

	if (!@requests) {
		return 'refused' if $r->{status} == 401;
		return 'duplicate' if $r->{status} == 200
			and defined $r->header('Webhook-Duplicate');
	}

	return "$r->{status} and " . @requests . ' proxied';
}

sub verdicts {
	return join ', ', map { verdict($_) } @_;
}

sub all {
	my @verdicts = map { verdict($_) } @_;

	return 'nothing was tried' unless @verdicts;
	return join ', ', @verdicts if grep { $_ ne $verdicts[0] } @verdicts;
	return $verdicts[0];
}

# likewise, with what the application is told

sub told {
	my ($e) = @_;

	my $verdict = verdict($e);
	return $verdict unless $verdict eq 'passed';

	my $q = $u->last();

	return join ', ', $verdict, map {
		my $value = Test::Nginx::Upstream::header($q, "X-$_");
		defined $value ? $value : '-';
	} qw/ Scheme Secret Id Type /;
}

sub told_of {
	my ($name, $e, $secret) = @_;

	return join ', ', 'passed', $name, $secret, map { defined $_ ? $_ : '-' }
		@$e{qw/ id type /};
}

# a request changed

sub with {
	my ($e, $name, $value) = @_;

	if ($name =~ /^\?(.*)/) {
		$value = defined $value ? "&$1=$value" : '';
		return { %$e, uri => $e->{uri} =~ s/&$1=[^&]*/$value/r };
	}

	my @headers = map { $_->[0] ne $name ? $_
		: defined $value ? [ $name, $value ] : () } @{$e->{headers}};

	return { %$e, headers => \@headers };
}

sub renamed {
	my ($e, $from, $to) = @_;

	my @headers = map { (my $name = $_->[0]) =~ s/^\Q$from\E/$to/;
		[ $name, $_->[1] ] } @{$e->{headers}};

	return { %$e, headers => \@headers };
}

sub changed {
	my ($body) = @_;

	my @bodies = map {
		my $copy = $body;
		substr($copy, $_, 1) ^= "\x01";
		$copy;
	} 0, int(length($body) / 2), -1;

	return @bodies, substr($body, 0, -1), "$body ", '';
}

# instead of the right header: none, nothing, a digest that is empty, cut short,
# too long, or in the wrong encoding

sub digests {
	my ($name, $e) = @_;

	my $p = provider($name);
	my $value = $p->{sig}[1] =~ s/\{ts\}/$e->{ts}/r;
	my $digest = $e->{digest};

	my @digests = ('', substr($digest, 0, -1),
		substr($digest, 0, length($digest) / 2));

	if ($p->{alg} ne 'token') {
		my $bytes = $p->{enc} =~ /^hex/i ? pack('H*', $digest)
			: decode_base64($digest =~ tr!-_!+/!r);

		push @digests, $p->{enc} =~ /^hex/i
			? ("${digest}00", encode_base64($bytes, ''))
			: ("${digest}AAAA", unpack('H*', $bytes));

		push @digests, $digest =~ s/=+$//r if $p->{enc} eq 'base64';
	}

	return undef, '', map { $value =~ s/\{digest\}/$_/r } @digests;
}

sub encoded {
	my ($p, $token) = @_;
	return $p->{enc} eq 'raw' ? $token : encode_base64($token, '');
}

# the same signature, with another of the other things that are signed

sub other_parts {
	my ($name, $e) = @_;

	my $signs = provider($name)->{signs};
	my @others;

	if ($signs->{ts}) {
		my %later = event($name, ts => $start + 1);

		my @headers = map { (my $value = $_->[1])
			=~ s/\Q$e->{ts}\E/$later{ts}/; [ $_->[0], $value ] }
			@{$e->{headers}};

		push @others, { %$e, headers => \@headers };
	}

	if ($signs->{id}) {
		my ($header) = map { $_->[0] }
			grep { $_->[1] eq $e->{id} } @{$e->{headers}};

		push @others, map { with($e, $header => $_) } undef, '',
			"$e->{id}0", substr($e->{id}, 0, -1),
			[ $e->{id}, $e->{id} ];
	}

	foreach my $field (grep { $signs->{$_} } keys %{provider($name)->{fields}}) {
		my ($header) = map { $_->[0] }
			grep { $_->[1] eq $e->{$field} } @{$e->{headers}};

		if (defined $header) {
			push @others, map { with($e, $header => $_) } undef, '',
				"$e->{$field}0", [ ($e->{$field}) x 2 ];
			next;
		}

		# a part of a header

		my ($part) = grep { $_->[1] =~ /\Q$e->{$field}\E$/ }
			@{$e->{headers}};

		if (defined $part) {
			push @others, map { with($e, $part->[0] => $_) } undef,
				'', $e->{$field}, "$part->[1]0",
				[ ($part->[1]) x 2 ];
			next;
		}

		# an item of the header that has the signature

		my ($name, $items) = @{$e->{headers}[-1]};

		push @others, map { with($e, $name => $_) }
			map { $items =~ s/([^,]*)\Q$e->{$field}\E,/$_/r } '', 't=,',
			"t=$e->{$field}0,", "t=$e->{$field},t=$e->{$field},";
	}

	push @others, { %$e, method => 'PUT' } if $signs->{method};

	push @others, { %$e, uri => "$e->{uri}&a=b" },
		{ %$e, uri => "/hooks/$name" },
		{ %$e, host => 'hooks.example.org' } if $signs->{url};

	return @others;
}

sub other_times {
	my ($name) = @_;

	my $unit = provider($name)->{unit};

	my @times = ('', 'now', '0', "-$start", "+$start", "$start.0", "0$start",
		"${start}000000");

	push @times, $start unless $unit eq 's' or provider($name)->{either};
	push @times, "${start}000" unless $unit eq 'ms' or provider($name)->{either};
	push @times, '2025-11-24T16:00:00Z'
		unless $unit =~ /^(?:rfc3339|iso8601)$/;

	push @times, '2025-11-24T16:00:00' unless $unit eq 'iso8601';
	push @times, 'Mon, 24 Nov 2025 16:00:00 GMT' unless $unit eq 'http';

	push @times, '2025-11-24', '2025-11-24T24:00:00Z',
		'2025-11-31T16:00:00Z', 'Tue, 24 Nov 2025 16:00:00 GMT';

	return @times;
}

# each digest in a header of its own; each in a line of its own

sub several {
	my ($name, @keys) = @_;

	my $p = provider($name);
	my @names = ($p->{sig}[0], @{$p->{more}});

	my @e = map { same($name, key => $keys[$_], sig => $names[$_],
		n => $n{$name} + 1) } 0 .. $#keys;

	$n{$name}++;

	return { %{$e[0]}, headers => [ @{$e[0]{headers}},
		map { $_->{headers}[-1] } @e[1 .. $#e] ] };
}

sub lines {
	my ($name, @keys) = @_;

	my $header = provider($name)->{sig}[0];

	$n{$name}++;
	my @e = map { same($name, key => $_) } @keys;

	return with($e[0], $header => [ map { $_->{headers}[-1][1] } @e ]);
}

sub location {
	my ($name, $dedup) = @_;

	return "location /$name { webhook_verify $name; "
		. 'webhook_secret ' . source($name)
		. "%%TESTDIR%%/$name.secret; $dedup }\n";
}

sub conf {
	my ($locations) = @_;

	return "webhook_dedup_zone zone=z:1m;\n"
		. "server { listen 127.0.0.1:8080; $locations }";
}

sub test {
	my ($name, $dedup) = @_;
	return $t->conf_test(conf(location($name, $dedup)), in => 'http');
}

sub seconds {
	my ($locations) = @_;

	my $from = spent();
	$t->conf_test(conf($locations), in => 'http');

	return spent() - $from;
}

# of the processor, by what was started: others are not waited for

sub spent {
	my (undef, undef, $user, $system) = times();
	return $user + $system;
}

# names in the table of the module

sub built_in {
	return project_text('src/scheme/ngx_http_webhook_builtin_*.c')
		=~ /^    \{ "([^"]+)", (?:NULL|"[^"]+"),$/mg;
}

###############################################################################
