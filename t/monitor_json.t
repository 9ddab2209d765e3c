#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the monitor's JSON and its page: what they say of places, zones,
# schemes and the last refusals; names of any kind; the page is complete, and
# its policy names the hashes of what stands in it.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Monitor;
use Test::Nginx::Webhook;

use Digest::SHA qw/ sha256_base64 /;
use JSON::PP qw/ decode_json /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $now = 1764000000;
my $secret = 'the-secret-of-the-test';

my $t = Test::Nginx->new()->has(qw/http proxy map/)->has_faketime()->plan(34);

$t->write_file('two', "$secret\nanother-secret-of-the-test\n");
chmod 0600, $t->testdir() . '/two';

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=z:1m;
    webhook_dedup_zone  zone=s:1m state=%%TESTDIR%%/s.state;

    map \$request_uri \$tenant {
        default  one;
    }

    server {
        listen  127.0.0.1:8088;

        location = /webhooks {
            webhook_monitor;
        }
    }

    server {
        listen       127.0.0.1:8080;
        server_name  hooks.example.com;

        location = /stripe {
            webhook_verify     stripe;
            webhook_secret     file:two;
            webhook_tolerance  100 200;
            webhook_dedup      zone=z ttl=2h lease=20s;
            proxy_pass         http://127.0.0.1:8081;

            limit_except POST {
                deny  all;
            }
        }

        location = /nextpay {
            webhook_verify   nextpay;
            webhook_secret   $secret;
            webhook_dry_run  on;
            webhook_dedup    zone=s key=\$tenant;
            proxy_pass       http://127.0.0.1:8081;
        }

        location = /github {
            webhook_verify  github;
            webhook_secret  $secret;
            webhook_place   "<script>alert('\\"&\\\\')</script>";
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}

EOF

my $hooks = 0;
my $u = upstream(8081);

$t->clock($now)->run();

###############################################################################

my $r = monitor('format=json');
my $d = decode_json($r->{body});

is($r->header('Content-Type'), 'application/json', 'content type');
is(join(' ', sort keys %$d), 'loaded nginx now places recent schemes since '
	. 'version waiting zones', 'members');
is("$d->{now} $d->{since} $d->{loaded} $d->{waiting}", "$now $now $now 0",
	'numbers');
is(scalar @{$d->{places}}, 3, 'one entry a location');

is_deeply($d->{places}[0], {
	place => 'hooks.example.com/stripe', server => 'hooks.example.com',
	location => '/stripe', scheme => 'stripe', dry_run => JSON::PP::false,
	window => [ 100, 200 ], secrets => 2, matches => [ 0, 0 ], last => {},
	dedup => { zone => 'z', namespace => 'location', key => [ 'json:/id' ],
		ttl => 7200, lease => 20 },
	requests => { enforce => { passed => { none => 0 },
		rejected => { signature_mismatch => 0 },
		duplicate => { already_delivered => 0 },
		unavailable => { internal_error => 0 } }, dry_run => {} },
}, 'a place, at zero');

is($d->{places}[1]{dedup}{namespace}, '$tenant', 'namespace');
is($d->{places}[1]{dry_run}, JSON::PP::true, 'dry run');
is($d->{places}[1]{window}, undef, 'no window');
is($d->{places}[2]{place}, q{<script>alert('"&\\')</script>}, 'name');
is($d->{places}[2]{dedup}, undef, 'no dedup');
is_deeply($d->{recent}, [], 'nothing is recent');

# some requests

hook('stripe', $secret, 'a', ts => $now - 10);
hook('stripe', $secret, 'a', ts => $now - 10);
hook('stripe', $secret, 'b', ts => $now - 101);
hook('stripe', 'another-secret-of-the-test', 'c', ts => $now + 3);
hook('nextpay', 'wrong', 'a');
hook('github', 'wrong', 'a');

$d = decode_json(monitor('format=json')->{body});

is_deeply($d->{places}[0]{requests}{enforce}, {
	passed => { none => 2 }, duplicate => { already_delivered => 1 },
	rejected => { signature_mismatch => 0, stale_timestamp => 1 },
	unavailable => { internal_error => 0 },
}, 'requests');
is_deeply($d->{places}[0]{matches}, [ 2, 1 ], 'matches');
is_deeply($d->{places}[0]{last}, { map { $_ => $now }
	qw/ passed duplicate rejected / }, 'last');
is_deeply($d->{places}[1]{requests}{dry_run}{rejected},
	{ signature_mismatch => 1 }, 'dry run - rejected');

my %zones = map { $_->{zone} => $_ } @{$d->{zones}};
my ($z, $s) = @zones{'z', 's'};

is(join(' ', map { $z->{$_} } qw/ used in_flight claims committed freed
	evicted lost forgotten /), '2 0 2 2 0 0 0 0', 'zone');
is($z->{state}, undef, 'zone - no state file');
is(join(' ', sort keys %{$s->{state}}), 'write_errors written',
	'zone - state file');

my ($stripe) = grep { $_->{scheme} eq 'stripe' } @{$d->{schemes}};
is(join(' ', @{$stripe->{age}{count}}[0 .. 3], $stripe->{age}{sum},
	$stripe->{age}{total}, scalar @{$stripe->{age}{le}}),
	'0 0 2 2 20 2 13', 'age');
is($stripe->{ahead}{sum} . ' ' . $stripe->{delivery}{total}, '3 2',
	'ahead, delivery');
is_deeply([ map { $_->{age} } grep { $_->{scheme} ne 'stripe' }
	@{$d->{schemes}} ], [ {}, {} ], 'no age');

is(join(', ', map { join ' ', @{$_}{qw/ time mode outcome reason /},
	defined $_->{age} ? $_->{age} : '-', defined $_->{hint} ? 1 : 0 }
	@{$d->{recent}}), join(', ', map { "$now $_ 0" }
	'enforce rejected signature_mismatch -',
	'dry_run rejected signature_mismatch -',
	'enforce rejected stale_timestamp 101',
	'enforce duplicate already_delivered 10'), 'recent');
is($d->{recent}[0]{place}, q{<script>alert('"&\\')</script>},
	'recent - place');

hook('github', 'wrong', $_) foreach 1 .. 70;

is(scalar @{decode_json(monitor('format=json')->{body})->{recent}}, 64,
	'recent - the last ones');

###############################################################################

# the page

$r = monitor('format=html');

is($r->header('Content-Type'), 'text/html; charset=utf-8',
	'page - content type');
is($r->header('Referrer-Policy'), 'no-referrer', 'page - Referrer-Policy');

my %inner = map { my $tag = $_; my ($text) = $r->{body}
	=~ /<$tag>(.*?)<\/$tag>/s; $tag => sha256_base64($text) . '=' }
	qw/ style script /;

is($r->header('Content-Security-Policy'), "default-src 'none'; "
	. "style-src 'sha256-$inner{style}'; script-src 'sha256-$inner{script}'; "
	. "connect-src 'self'; base-uri 'none'; form-action 'none'; "
	. "frame-ancestors 'none'", 'page - policy');

unlike($r->{body}, qr/<script>alert|style=|onclick=|src=|href=/,
	'page - nothing but its own');
like($r->{body}, qr/<b>&lt;script&gt;alert\(&#39;&quot;&amp;\\&#39;\)&lt;\/script&gt;<\/b> rejected 71 requests, and none has passed: signature_mismatch\./,
	'page - what is wrong');
like($r->{body}, qr/<b>hooks.example.com\/nextpay<\/b> is in dry run/,
	'page - dry run');
like($r->{body}, qr/\/stripe <small>stripe<\/small><\/th><td data-l="Passed">2<td data-l="Rejected">1<td data-l="Duplicates">1<td/,
	'page - numbers');

(my $rest = $r->{body}) =~ s/<tr><th scope.*\n//g;
cmp_ok(length $rest, '<', 32 * 1024, 'page - small');

my ($type) = monitor('', headers => [ [ 'Accept', 'text/html,application/'
	. 'xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8' ] ])
	->header('Content-Type') =~ /^(\S+?);/;
is($type, 'text/html', 'page - for browsers');

is(`$^X $Test::Nginx::ROOT/auto/page --check 2>&1`, '', 'page - of its source');

###############################################################################

# sends an event, and waits until it is counted

sub hook {
	my ($scheme, $key, $id, %opts) = @_;

	my $r = deliver($scheme, $key, "{\"id\":\"$id\"}", uri => "/$scheme",
		%opts);

	$r->{client}->close();
	$hooks++;

	wait_until(sub { metric('requests_total') >= $hooks });
}

###############################################################################
