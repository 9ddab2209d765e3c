#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for state files that are left and come back to, and for reloads that
# fail late: after a crash the file in use knows what was accepted.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use IO::Socket;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $secret = 'secret-of-nextpay-0123456789';

my $t = Test::Nginx->new()->has(qw/http proxy/)
	->allow(qr/\[alert\] .* (?:exited on signal 9|was locked by \d+)/,
		qr/\[emerg\] .*(?:bind\(\)|still could not bind)/)
	->plan(21);

my $d = $t->testdir();

mkdir "$d/state";

my $u = upstream(8081);

###############################################################################

# from A to B, and back

conf('a');
$t->run();

my @ids = map { "a-$_" } 1 .. 20;
is(delivered(@ids), '20 x 200 proxied', 'a - delivered');
ok(flushed('a'), 'a - in the file');

conf('b');
ok($t->reload(), 'b - reloaded');

my @more = map { "b-$_" } 1 .. 20;
is(delivered(@ids, @more), '20 x 200 duplicate, 20 x 200 proxied',
	'b - delivered');
push @ids, @more;
ok(flushed('b'), 'b - in the file');

conf('a');
ok($t->reload(), 'a again - reloaded');
ok(flushed('a'), 'a again - in the file');

killed();
$t->run();

is(delivered(@ids), '40 x 200 duplicate', 'a again - known after a crash');

# and once more, this time by the file of the other one

conf('b');
ok($t->reload(), 'b again - reloaded');

@more = map { "c-$_" } 1 .. 20;
is(delivered(@more), '20 x 200 proxied', 'b again - delivered');
push @ids, @more;
ok(flushed('b'), 'b again - in the file');

killed();
$t->run();

is(delivered(@ids), '60 x 200 duplicate', 'b again - known after a crash');

###############################################################################

# A reload that fails when the zone has been made already: what was not in
# the file by then has to come there later.

my $busy = IO::Socket::INET->new(Proto => 'tcp', Listen => 1,
	LocalAddr => '127.0.0.1', LocalPort => port(8082))
	or die "Can't listen: $!\n";

foreach my $case ([ 'same file', 'b' ], [ 'other file', 'a' ],
	[ 'new file', 'c' ])
{
	my ($name, $path) = @$case;

	(my $id = $name) =~ s/\W+/-/g;

	@more = map { "$id-$_" } 1 .. 20;

	my $from = $t->log_pos();

	is(delivered(@more), '20 x 200 proxied', "$name - delivered");
	push @ids, @more;

	conf($path, 8082);
	my $reloaded = $t->reload();

	# it is tried several times

	$t->wait_log(qr/still could not bind/, from => $from);

	conf('b');
	is(($reloaded ? 'reloaded' : 'refused') . ' '
		. (flushed('b') ? 'flushed' : 'not flushed'),
		'refused flushed', "$name - refused");

	killed();
	$t->run();

	my $n = @ids;
	is(delivered(@ids), "$n x 200 duplicate", "$name - known after a crash");
}

###############################################################################

sub conf {
	my ($path, $listen) = @_;

	$listen = $listen ? "listen 127.0.0.1:$listen;" : '';

	$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:32k state=%%TESTDIR%%/state/$path.state;

    webhook_in_flight_wait  0;

    keepalive_requests  10000;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        $listen

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

# Everything that was accepted by now is in the file.  The one worker writes
# all that is new at once, and answers when it has: a change that was seen is
# part of one such turn, and the one after it comes later than what was asked
# before it.

sub flushed {
	my ($path) = @_;

	foreach my $n (1, 2) {
		my $content = $t->read_file("state/$path.state");

		my $id = "flush-" . $u->count();
		return unless sent($id) eq '200 proxied';

		wait_until(sub {
			$t->read_file("state/$path.state") ne $content
		})
			or return;

		return unless sent($id) eq '200 duplicate';
	}

	return 1;
}

# nobody has time to say anything

sub killed {
	my @pids = ($t->master(), $t->workers());

	kill 'KILL', @pids;

	wait_until(sub { !grep { Test::Nginx::_alive($_) } @pids })
		or die "was not killed\n";

	$t->stop();
}

sub delivered {
	my $client = client(port => 8080);
	my %n;

	$n{sent($_, client => $client)}++ foreach @_;

	$client->close();

	return join ', ', map { "$n{$_} x $_" } sort keys %n;
}

sub sent {
	my ($id, %opts) = @_;

	return came_of($u, sub {
		deliver('nextpay', $secret, "{\"id\":\"$id\"}", %opts,
			uri => '/hook')
	});
}

###############################################################################
