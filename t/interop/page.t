#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the monitor's page in Chromium, see page.mjs: it keeps its policy,
# asks nothing but itself, fits into 360 pixels, has light and dark colours,
# and says the same with its script, whose numbers change, and without.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib '../lib';
use Test::Nginx;
use Test::Nginx::Redis;
use Test::Nginx::Webhook;

use JSON::PP qw/ decode_json /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $dir = "$Test::Nginx::ROOT/build/interop";

plan(skip_all => 'no playwright-core in build/interop, see make interop')
	unless -d "$dir/node_modules/playwright-core";
plan(skip_all => 'no chromium') unless -x '/usr/bin/chromium';

my $secret = 'the-secret-of-the-test';

my $t = Test::Nginx->new()->has(qw/http proxy/);
my $redis = Test::Nginx::Redis->new(8379);

$t->write_file_expand('nginx.conf', <<"EOF_");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:1m;
    webhook_dedup_zone  zone=tiny:32k state=%%TESTDIR%%/tiny.state;
    webhook_dedup_zone  zone=shared:32k store=away;

    webhook_dedup_zone  zone=near:32k store=near;

    webhook_store away {
        server  127.0.0.1:8089;
    }

    webhook_store near {
        server  127.0.0.1:8379;
    }

    server {
        listen  127.0.0.1:8088;

        location = /webhooks {
            webhook_monitor  write=on;
        }
    }

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        webhook_secret  $secret;

        location = /busy {
            webhook_verify  nextpay;
            webhook_dedup   zone=events;
            proxy_pass      http://127.0.0.1:8081;
        }

        location = /bad {
            webhook_verify  stripe;
            webhook_place   "<b onclick='alert(1)'>bad & \\"long\\" name-of-a-place-that-cannot-be-broken-anywhere-and-goes-on</b>";
            proxy_pass      http://127.0.0.1:8081;
        }

        location = /dry {
            webhook_verify   stripe;
            webhook_dry_run  on;
            proxy_pass       http://127.0.0.1:8081;
        }
    }
}

EOF_

my $u = upstream(8081);
$t->plan(24)->run();

# another server has it

$redis->command('SET', 'webhook:near:' . '0' x 32,
	'p:' . '1' x 16 . ':' . '2' x 16);

hook('nextpay', $secret, '/busy', 1);
hook('nextpay', $secret, '/busy', 1);
hook('stripe', 'wrong', $_, 1) foreach '/bad', '/dry';
hook('stripe', $secret, '/dry', 1);

my $traffic = fork();

if (!$traffic) {
	foreach my $i (2 .. 3000) {
		hook('nextpay', $secret, '/busy', $i);
		select undef, undef, undef, 0.1;
	}

	POSIX::_exit(0);
}

my $url = 'http://127.0.0.1:' . port(8088) . '/webhooks';
my $out = `node $dir/page.mjs test $url 2>$dir/page.err`;

kill 'KILL', $traffic;
waitpid $traffic, 0;

my $d = eval { decode_json($out) } || {};

diag(`cat $dir/page.err`) unless %$d;

###############################################################################

foreach my $name ('plain', 'script') {
	my $r = $d->{$name};

	is_deeply($r->{seen}{console}, [], "$name - nothing on the console");
	is_deeply($r->{seen}{errors}, [], "$name - no errors");
	is(join(' ', grep { index($_, $url) != 0 } @{$r->{seen}{requests}}), '',
		"$name - no request but to itself");
	like($r->{wrong}, qr/store away cannot be asked, for \d+ s: server 127\.0\.0\.1:\d+ could not be connected to \(111: Connection refused\)\./,
		"$name - a store that is down");
	like($r->{wrong}, qr/<b onclick='alert\(1\)'>bad & "long" .*<\/b> rejected 1 requests, and none has passed: signature_mismatch\..*\/dry is in dry run/s,
		"$name - what is wrong");
	cmp_ok($r->{busy}, '>=', 1, "$name - numbers");
}

is(scalar @{$d->{plain}{seen}{requests}}, 1, 'plain - one request');
cmp_ok(scalar @{$d->{script}{seen}{requests}}, '>=', 3, 'script - some more');
cmp_ok($d->{script}{width}, '<=', 360, 'nothing scrolls sideways');
cmp_ok($d->{script}{after}, '>', $d->{script}{before}, 'numbers change');
is($d->{plain}{form} ? 1 : 0, 0, 'no form without script');
like($d->{script}{events}[0], qr/^Remembered, for \d/, 'an event is asked for');
like(join(' ', @{$d->{script}{events}}[1, 2]), qr/^Forgotten.*Not remembered\.$/,
	'and forgotten');
is($d->{script}{elsewhere}, 'With the application.', 'in flight elsewhere');
isnt($d->{light}, $d->{dark}, 'light and dark');

my ($nginx, $script) = map { [ map { s/\d+(?:\.\d+)?%?//gr } @$_ ] }
	@{$d->{script}{same}};
is_deeply($script, $nginx, 'the script says what nginx says');
is($d->{script}{scripts}, 1, 'one script');
like($d->{light}, qr/^rgb/, 'colours');

###############################################################################

sub hook {
	my ($scheme, $key, $uri, $id) = @_;

	my $r = deliver($scheme, $key, "{\"id\":\"$id\"}", uri => $uri);
	$r->{client}->close();
}

###############################################################################
