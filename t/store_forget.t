#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for events that the monitor of a server with a store is asked for:
# where one is remembered; one that is forgotten here and in the store passes
# at another server; without a good answer of the store nothing is changed.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Fleet;
use Test::Nginx::Monitor;
use Test::Nginx::Redis;
use Test::Nginx::Store;
use Test::Nginx::Webhook;

use JSON::PP qw/ decode_json /;
use Time::HiRes qw/ time /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy/);
my $redis = Test::Nginx::Redis->new(8379);

$t->plan(182);

my $other = Test::Nginx->new();
my $store = Test::Nginx::Store->new(8380, 8379);

my %conf = (
	workers => 2,
	store => 'server 127.0.0.1:8380; timeout 2s;',
	http => monitored(8088),
);

$t->write_file_expand('nginx.conf', fleet_conf(%conf));
$other->write_file_expand('nginx.conf', fleet_conf(%conf, port => 8180,
	workers => 1, http => monitored(8188)));

my $u = upstream(8081);

$_->run() foreach $t, $other;

ok(wait_until(sub { up(8088) && up(8188) }), 'up');

my $there = '200 DUPLICATE already_delivered DONE 0';
my $here = '200 DUPLICATE already_delivered 0';
my $new = '200 PASSED MINE 1';

# what is done to a command to forget

my $forget = qr/^EVAL .*string\.sub/s;

###############################################################################

# looked up: here, and then in the store

is(asked('a'), '200 unknown -', 'unknown');
is(event($u, 'a'), $new, 'delivered');
stored('a');

my $n = $store->count(qr/^GET/);
my $until = (split / /, asked('a'))[2];

like($until, qr/^\d+$/, 'until');
is($store->count(qr/^GET/), $n, 'known here - the store is not asked');
is(asked('a', 8188), "200 done $until", 'known to the store');
is($store->count(qr/^GET/), $n + 1, 'known to the store - which is asked');
is(event($u, 'a', port => 8180), $there, 'known to the store - not here');

my $r = monitor("zone=events&id=" . id('a'), port => 8188, method => 'HEAD',
	head => 1);
is($r->{status}, 200, 'HEAD');

my $foreign = 'p:0123456789abcdef:0000000000000001';

$redis->command('SET', event_key('busy'), $foreign, 'PX', 100000);
is(asked('busy'), '200 in_flight -', 'in flight elsewhere');

# a claim whose answer was lost hinders nobody here

event($u, 'leftover', answer => 500);
my ($claim) = $store->commands(qr/^SET \Q@{[ event_key('leftover') ]}\E p:/);
(my $earlier = $claim->{args}[2]) =~ s/:\w+$/:00000000000000ff/;
$redis->command('SET', event_key('leftover'), $earlier, 'PX', 100000);

is(asked('leftover'), '200 unknown -', 'a leftover of this server');
is(asked('leftover', 8188), '200 in_flight -', 'a leftover of another one');

###############################################################################

# forgotten here and in the store: it passes at another server, once

is(event($u, 'b'), $new, 'forgotten - delivered before');
stored('b');
is(forgot('b'), '200 1', 'forgotten');
is($redis->command('GET', event_key('b')), undef, 'forgotten - in the store');
is(asked('b'), '200 unknown -', 'forgotten - here');
is(event($u, 'b', port => 8180), $new, 'forgotten - passes elsewhere');
stored('b');
is(event($u, 'b'), $there, 'forgotten - a duplicate again');
is(event($u, 'c'), $new, 'forgotten - another one');
stored('c');
is(event($u, 'c'), $here, 'forgotten - another one is not');

# it says that other servers may remember it, which they do

is(event($u, 'c', port => 8180), $there, 'elsewhere - heard of');
$r = answer('c');
like($r->{body}, qr/"message":"other servers may still remember it: ask each of them"/,
	'elsewhere - told');
is(event($u, 'c', port => 8180), $here, 'elsewhere - remembered');
is(forgot('c', 8188), '200 1', 'elsewhere - forgotten too');
is(event($u, 'c', port => 8180), $new, 'elsewhere - passes');

# one that this server does not know

is(event($u, 'd'), $new, 'in the store - delivered');
stored('d');
is(forgot('d', 8188), '200 1', 'in the store - forgotten');
is($redis->command('GET', event_key('d')), undef, 'in the store - gone');
is(event($u, 'd'), $here, 'in the store - remembered where it was accepted');

is(forgot('nobody'), '404 not_remembered', 'not remembered');
is(forgotten(), 2, 'counted');
is(forgotten(8188), 2, 'counted - elsewhere');

# in flight

$u->reset()->script('hang');
my $c = event_request('flight', send_only => 1);
$u->wait_for(1);
$n = $store->count($forget);

is(forgot('flight'), '409 in_flight', 'in flight');
is($store->count($forget), $n, 'in flight - the store is not asked');
is(forgot('flight', 8188), '409 in_flight', 'in flight - elsewhere');
like($redis->command('GET', event_key('flight')), qr/^p:/,
	'in flight - it stays so');

$u->release();
is(told($c->response()), '200 PASSED MINE', 'in flight - accepted');

# done here, and in the hands of another server: as it was

is(event($u, 'both'), $new, 'both');
stored('both');
wait_until(sub { metric('store_owed') == 0 });
$redis->command('SET', event_key('both'), $foreign, 'PX', 100000);
$store->reset();

is(forgot('both'), '409 in_flight', 'both - in flight elsewhere');
is(event($u, 'both'), $here, 'both - done here');
quiet();
is($redis->command('GET', event_key('both')), $foreign, 'both - as it was');

# all of them

is(told_of(request_of('events', 'zone=events&all=yes')), '400 bad_request',
	'all');
is(event($u, 'both'), $here, 'all - nothing is forgotten');

###############################################################################

# an answer that is late: others go on, and then it is there

is(event($u, 'late'), $new, 'late');
stored('late');
$store->reset()->once($forget, 'lost');

$c = request_of('events', args('late'), send_only => 1);
ok($store->wait_for($forget, 1), 'late - asked');
is(request(method => 'GET')->{status}, 200, 'late - others go on');
is(metric('store_up'), 1, 'late - the monitor too');
$store->release();
is(told_of($c->response()), '200 1', 'late - forgotten');
is(event($u, 'late', port => 8180), $new, 'late - passes');

# another request on its connection

stored('late');
$store->once($forget, 'lost');
$c = request_of('events', args('late'), send_only => 1, port => 8188,
	keepalive => 1);
$store->wait_for($forget, 2);
$c->send("GET /webhooks HTTP/1.1\r\nHost: localhost\r\n\r\n");
$store->release();
is(told_of($c->response()), '200 1', 'pipelined');
is($c->response()->{status}, 200, 'pipelined - the next one');
$c->close();

# looked up meanwhile

$store->reset()->once(qr/^GET/, 'lost');
$c = request(port => 8088, method => 'GET', send_only => 1,
	uri => '/webhooks?' . args('nobody'));
$store->wait_for(qr/^GET/, 1);
$store->release();
is(told_of($c->response()), '200 unknown -', 'late - looked up');

# the client leaves: it is forgotten all the same

my $from = $t->log_pos();

is(event($u, 'left'), $new, 'left');
stored('left');
$store->reset()->once($forget, 'lost');
$c = request_of('events', args('left'), send_only => 1);
$store->wait_for($forget, 1);
$c->abort();
ok($t->wait_log(qr/closed connection|reset by peer|prematurely/,
	from => $from), 'left - gone') or diag(join '', $t->lines(qr/./,
	from => $from));
$store->release();
ok($t->wait_log(qr/\[notice\] .*zone "events": 1 events were forgotten on request of a client that is gone/,
	from => $from), 'left - logged');
is(event($u, 'left', port => 8180), $new, 'left - forgotten');

# old workers answer

is(event($u, 'reload'), $new, 'reload');
stored('reload');
$store->reset()->once($forget, 'lost');
$c = request_of('events', args('reload'), send_only => 1);
$store->wait_for($forget, 1);
$t->reload();
$store->release();
is(told_of($c->response()), '200 1', 'reload - forgotten');
$c->close();
is(event($u, 'reload'), $new, 'reload - passes');
ok(wait_until(sub { up(8088) }), 'reload - up');

###############################################################################

# what is no answer: nothing is changed, and what the store may have forgotten
# it is told again

my @no = (
	[ 'hang', 'hang' ], [ 'lost', 'lost' ], [ 'close', 'close' ],
	[ 'reset', 'reset' ], [ 'closed after it', 'late' ],
	[ 'another number', { reply => ":3\r\n" } ],
	[ 'a negative one', { reply => ":-1\r\n" } ],
	[ 'a status', { reply => "+OK\r\n" } ],
	[ 'a string', { reply => "\$1\r\n1\r\n" } ],
	[ 'null', { reply => "\$-1\r\n" } ],
	[ 'a list', { reply => "*0\r\n" } ],
	[ 'none of Redis', { reply => "1\r\n" } ],
	[ 'an error', { reply => "-ERR no\r\n" } ],
	[ 'no permission', { reply => "-NOPERM no\r\n" } ],
	[ 'read only', { reply => "-READONLY no\r\n" } ],
	[ 'OOM', { reply => "-OOM no\r\n" } ],
	[ 'WRONGTYPE', { reply => "-WRONGTYPE no\r\n" } ],
	map { [ "cut to $_ bytes", { cut => $_ } ] } 0 .. 3,
);

my $before = forgotten(8188);

foreach my $case (@no) {
	my ($name, $how) = @$case;

	is(event($u, $name, port => 8180), $new, $name);
	stored($name);
	$store->once($forget, $how);

	is(forgot($name, 8188), '503 store_unavailable', "$name - 503");
	is(event($u, $name, port => 8180), $here, "$name - remembered");

	$store->release();
	ok(wait_until(sub { up(8188) && up(8088) }) && stored($name),
		"$name - in the store");
}

is(forgotten(8188), $before, 'no answer - nothing was forgotten');

# one that was claimed meanwhile, by another worker, and refused: it is not put
# back, as it would be a duplicate then; one that was accepted is

foreach my $answer (500, 200) {
	my $id = "claimed, $answer";

	is(event($u, $id), $new, $id);
	stored($id);
	$store->reset()->once($forget, 'lost');

	my ($busy, $other) = $t->workers();

	stand_still($other);
	$c = request_of('events', args($id), send_only => 1);
	$store->wait_for($forget, 1);
	kill 'CONT', $other;

	stand_still($busy);
	is(event($u, $id, answer => $answer), "$answer PASSED MINE 1",
		"$id - meanwhile");
	kill 'CONT', $busy;

	$store->cut('reset');
	is(told_of($c->response()), '503 store_unavailable', "$id - 503");
	$c->close();

	ok(wait_until(sub { processes(2, 0) }), "$id - up");
	is(event($u, $id), $answer == 500 ? $new : $here, "$id - then");
}

# of one that the zone does not know, and of nothing to look up

is(event($u, 'unknown'), $new, 'elsewhere - delivered');
stored('unknown');

foreach my $case (@no[5, 7, 12]) {
	my ($name, $how) = @$case;

	$store->once($forget, $how);
	is(forgot('unknown', 8188), '503 store_unavailable',
		"elsewhere - $name");
	wait_until(sub { up(8188) });

	$store->once(qr/^GET/, $how);
	is(asked('unknown', 8188), '503 store_unavailable',
		"elsewhere - $name, looked up");
	wait_until(sub { up(8188) });
}

like(asked('unknown', 8188), qr/^200 done \d+$/, 'elsewhere - as it was');

# a key of another type

$redis->command('DEL', event_key('type'));
$redis->command('RPUSH', event_key('type'), 1);
is(asked('type'), '503 store_unavailable', 'another type - looked up');
is(forgot('type'), '503 store_unavailable', 'another type');
is($redis->command('LLEN', event_key('type')), 1, 'another type - as it was');

$redis->command('SET', event_key('text'), 'dd:1');
is(asked('text'), '503 store_unavailable', 'another text - looked up');
is(forgot('text'), '409 in_flight', 'another text');
is($redis->command('GET', event_key('text')), 'dd:1',
	'another text - as it was');

###############################################################################

# a store that is down: no time is spent, and nothing is changed

is(event($u, 'down'), $new, 'down');
stored('down');
wait_until(sub { metric('store_owed') == 0 });

$redis->stop();
ok(wait_until(sub { up(8188) == 0 && metric('store_up') == 0 }), 'down - is');
wait_until(sub { processes(0, 2) });

my $time = time();

is(forgot('down'), '503 store_unavailable', 'down - 503');
is(forgot('nobody'), '503 store_unavailable', 'down - unknown');
is(asked('nobody'), '503 store_unavailable', 'down - looked up');
like(asked('down'), qr/^200 done \d+$/, 'down - known here');
cmp_ok(time() - $time, '<', 2, 'down - at once');
is(event($u, 'down'), $here, 'down - remembered');
is(metric('store_owed', zone => 'events'), 0, 'down - and not owed');

$redis->start();
ok(wait_until(sub { up(8188) && up(8088) }), 'down - up again');
stored('down');
is(forgot('down'), '200 1', 'up again - forgotten');

# who, where and how many, and not which one

my $id = id('down');

is(scalar(grep { !/\[debug\]/ } $t->lines(qr/\[notice\].*forgotten.*\Q$id/)), 0,
	'log - not which one');
ok(scalar $t->lines(qr/\[notice\] .*zone "events": 1 events were forgotten on request of client 127\.0\.0\.1$/),
	'log');

###############################################################################

sub monitored {
	my ($port) = @_;

	return <<"EOF_";
    server {
        listen  127.0.0.1:$port;

        location = /webhooks {
            webhook_monitor  write=on;
        }
    }
EOF_
}

sub up {
	my ($port) = @_;

	return monitor('format=prometheus', port => $port)->{body}
		=~ /^nginx_webhook_store_up\S* 1$/m ? 1 : 0;
}

sub processes {
	my ($up, $down) = @_;

	my $d = decode_json(monitor('format=json')->{body});
	my $p = $d->{zones}[0]{store}{processes};

	return $p->{up} == $up && $p->{down} == $down;
}

sub forgotten {
	my ($port) = @_;

	return monitor('format=prometheus', port => $port || 8088)->{body}
		=~ /^nginx_webhook_dedup_forgotten_total\S* (\d+)$/m ? $1 : undef;
}

sub id {
	my ($id) = @_;
	return event_key($id) =~ s/.*://r;
}

sub args {
	my ($id) = @_;
	return 'zone=events&id=' . id($id);
}

sub asked {
	my ($id, $port) = @_;
	return told_of(monitor(args($id), port => $port || 8088));
}

sub forgot {
	my ($id, $port) = @_;
	return told_of(answer($id, port => $port || 8088));
}

sub answer {
	my ($id, %opts) = @_;
	return request_of('events', args($id), %opts);
}

sub request_of {
	my ($zone, $args, %opts) = @_;

	return monitor($args, method => 'DELETE',
		headers => [ [ 'Webhook-Forget', $zone ] ], %opts);
}

sub told_of {
	my ($r) = @_;

	my $d = eval { decode_json($r->{body}) } || {};

	return join ' ', $r->{status}, grep { defined } $d->{error},
		$d->{forgotten}, $d->{state}, $d->{state} ? defined $d->{until}
		? $d->{until} : '-' : undef;
}

# in the store, as what is accepted is told there after the answer

sub stored {
	my ($id) = @_;

	return wait_until(sub {
		(eval { $redis->command('GET', event_key($id)) } || '') =~ /^d:/
	});
}

# a worker accepts nothing until it goes on

sub stand_still {
	my ($pid) = @_;

	kill 'STOP', $pid;

	wait_until(sub {
		open my $fh, '<', "/proc/$pid/stat" or return;
		<$fh> =~ /\) T /;
	});
}

# two rounds of what is owed

sub quiet {
	my $till = time() + 2.2;

	wait_until(sub { time() > $till });
}

###############################################################################
