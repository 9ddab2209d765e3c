#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for how a state file is written while nginx works: by a worker that is
# killed at it, and beside requests if there is much to write.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $secret = 'secret-of-nextpay-0123456789';

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faults()
	->allow(qr/\[alert\] .* (?:exited on signal 9|was locked by \d+)/)
	->plan(24);

my $d = $t->testdir();

mkdir "$d/state";

my $u = upstream(8081);

###############################################################################

# Killed when it writes the record, which another one writes then: a clean stop
# and a kill of all processes find it in the file.

conf();
$t->run();

foreach my $how (qw/ quit kill /) {
	my ($worker) = $t->workers();
	my $records = records();

	$t->faults('pwrite 256 events.state kill');

	is(sent("$how-killed"), '200 proxied', "$how - delivered");

	ok(wait_until(sub {
		my @pids = $t->workers();
		return @pids == 1 && $pids[0] != $worker;
	}), "$how - killed, and replaced");

	is(sent("$how-killed"), '200 duplicate', "$how - known to all");

	if ($how eq 'quit') {
		$t->stop();

	} else {

		# there is one record to write

		wait_until(sub { records() ne $records });

		my @pids = ($t->master(), $t->workers());
		kill 'KILL', @pids;
		wait_until(sub { !grep { Test::Nginx::_alive($_) } @pids });
		$t->stop();
	}

	$t->run();

	is(sent("$how-killed"), '200 duplicate', "$how - known after a start");
}

$t->stop();

###############################################################################

# Everything is to be written when a zone that is in use gets a file.  Writing
# is made slow: whoever asks meanwhile does not wait until it is done.

foreach my $workers (1, 2) {
	my $name = "$workers processes";

	conf(size => '1m', path => '', workers => $workers);
	$t->faults();
	$t->run();

	is(sent("$name"), '200 proxied', "$name - delivered");

	my $before = $t->fault_count();
	$t->faults("pwrite 256 $workers.state slow");

	conf(size => '1m', path => "state=%%TESTDIR%%/state/$workers.state",
		workers => $workers);
	$t->reload();

	my $records = (stat "$d/state/$workers.state")[7] / 256 - 1;

	my $written = sub { $t->fault_count() - $before };

	ok(wait_until(sub { $written->() }), "$name - begun");

	my @n;

	foreach (1 .. 3) {
		like(http_get('/'), qr/200 OK/, "$name - an answer");
		push @n, $written->();
	}

	cmp_ok($n[-1], '<', $records, "$name - answers while it is written")
		or diag("@n of $records");

	# nothing is written twice, whoever is at it

	$t->faults("pwrite 256 $workers.state none");

	ok(wait_until(sub { $written->() >= $records }),
		"$name - all is written");

	$t->stop();

	is($written->(), $records, "$name - each of them once");
}

$t->run();

###############################################################################

sub conf {
	my (%opts) = @_;

	my $size = $opts{size} || '32k';
	my $state = exists $opts{path} ? $opts{path}
		: 'state=%%TESTDIR%%/state/events.state';
	my $workers = $opts{workers} || 1;

	$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

worker_processes  $workers;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:$size $state;

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
            webhook_dedup   zone=events key=hook;
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}

EOF
}

sub records {
	return substr($t->read_file('state/events.state'), 256);
}

sub sent {
	my ($id) = @_;

	return came_of($u, sub {
		deliver('nextpay', $secret, "{\"id\":\"$id\"}", uri => '/hook')
	});
}

###############################################################################
