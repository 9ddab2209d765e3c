#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for a state file that is written while the clock jumps, ahead and back:
# what was accepted before and after it is in the file, and known after a start
# at any of these times.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::StateFile;
use Test::Nginx::Webhook;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

use constant HOUR => 3600;

my $secret = 'secret-of-nextpay-0123456789';

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faketime()->plan(20);

my $d = $t->testdir();

mkdir "$d/state";

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

worker_processes  1;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:32k state=%%TESTDIR%%/state/events.state;

    webhook_in_flight_wait  0;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /hook {
            webhook_verify  nextpay;
            webhook_secret  $secret;
            webhook_dedup   zone=events key=hook ttl=24h;
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}

EOF

my $u = upstream(8081);
my $start = 1764000000;

###############################################################################

foreach my $case ([ 'ahead', 2 * HOUR ], [ 'back', -2 * HOUR ]) {
	my ($name, $jump) = @$case;
	my @ids = map { "$name-$_" } qw/ before after /;

	$t->clock($start)->run();

	is(sent($ids[0]), '200 proxied', "$name - before");
	$t->clock($start + $jump);
	is(sent($ids[1]), '200 proxied', "$name - after");

	ok(wait_until(sub { !missing(@ids) }), "$name - both are written");

	foreach my $at ($start, $start + $jump) {
		my $from = $t->log_pos();

		$t->stop();
		$t->clock($at)->run();

		is(join(', ', map { sent($_) } @ids),
			'200 duplicate, 200 duplicate', "$name - known");
		is(scalar @{[ $t->lines(qr/saved in the future/,
			from => $from) ]},
			$at == $start && $jump > 0
				|| $at != $start && $jump < 0 ? 1 : 0,
			"$name - told of the clock");
	}

	# nor is it known for longer than it is to be

	$t->clock($start + $jump + 24 * HOUR - 1);
	is(sent($ids[1]), '200 duplicate', "$name - until its end");

	$t->clock($start + $jump + 24 * HOUR);
	is(sent($ids[1]), '200 proxied', "$name - not longer");

	$t->stop();
	unlink "$d/state/events.state";
	$t->clock($start);
}

$t->run();

is(sent('last'), '200 proxied', 'works');
is(sent('last'), '200 duplicate', 'works - known');

###############################################################################

sub sent {
	my ($id) = @_;

	return came_of($u, sub {
		deliver('nextpay', $secret, "{\"id\":\"$id\"}", uri => '/hook')
	});
}

sub missing {
	my (@ids) = @_;

	my $keys = state_keys($t->read_file('state/events.state'));

	return $keys if !ref $keys;

	my %there = map { $_ => 1 } @$keys;

	return join ' ', grep {
		!$there{state_key('nextpay', 'key', 'hook', '', $_)}
	} @ids;
}

###############################################################################
