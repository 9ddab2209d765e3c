#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for a store that cannot be asked: what becomes of events then, and how
# it is found again.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Fleet;
use Test::Nginx::Redis;
use Test::Nginx::Store;
use Test::Nginx::Webhook;

use Time::HiRes qw/ time /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy/);
my $redis = Test::Nginx::Redis->new(8379);

$t->plan(64);

my $store = Test::Nginx::Store->new(8380, 8379);

my $dedup = 'webhook_dedup zone=events key=events';

my $conf = fleet_conf(locations => {
	'/reject' => "webhook_log_level error; $dedup on_error=reject;",
	'/quiet' => "webhook_log_level info; $dedup on_error=reject;",
	'/local' => "$dedup on_error=local;",
	'/alone' => 'webhook_dedup zone=alone key=events on_error=reject;',
	'/dry' => "webhook_dry_run on; $dedup on_error=reject;",
}, http => 'webhook_dedup_zone zone=alone:1m;');

$t->write_file_expand('nginx.conf', $conf);

my $u = upstream(8081);

###############################################################################

# nginx starts without it

$store->refuse();
$t->run();

ok($t->wait_log(qr/\[error\] .*fleet/), 'at start');

my $local = '200 PASSED store_unavailable DOWN 1';
my $reject = '503 UNAVAILABLE store_unavailable DOWN 0';

is(event($u, 'start'), $local, 'at start - by default');
is(event($u, 'start-local', uri => '/local'), $local, 'at start - local');
is(event($u, 'start-reject', uri => '/reject'), $reject,
	'at start - reject');
is(event($u, 'alone', uri => '/alone'), '200 PASSED 1',
	'at start - a zone without a store');

my $r = event_request('start-reject', uri => '/reject');

is($r->header('Retry-After'), 5, 'reject - when to come again');
ok(!defined $r->header('Webhook-Duplicate'), 'reject - no duplicate');

# what the zone knows needs no store

is(event($u, 'start'), '200 DUPLICATE already_delivered 0', 'known');
is(event($u, 'start', uri => '/reject'), '200 DUPLICATE already_delivered 0',
	'known - reject');
is(event($u, 'start-fails', answer => 500), '500 PASSED store_unavailable DOWN 1',
	'fails');
is(event($u, 'start-fails'), $local, 'fails - and then not');

# a refusal is logged as others are

my $from = $t->log_pos();
event($u, 'logged', uri => '/reject');
ok($t->wait_log(qr/\[error\] .*store_unavailable/, from => $from),
	'reject - logged');

$from = $t->log_pos();
event($u, 'logged', uri => '/quiet');
ok($t->wait_log(qr/\[info\] .*store_unavailable/, from => $from),
	'reject - at the level');

# dry run lets through

like(event($u, 'dry', uri => '/dry'), qr/^200 \w+_DRY_RUN store_unavailable .*1$/,
	'dry run');

# no time is spent

is(scalar(grep { !/ 0\.000 \d/ } $t->lines(qr/"DOWN"/,
	name => 'verdict.log')), 0, 'no time is spent');

# one line for all of it

is(scalar $t->lines(qr/\[error\](?!.*client).*fleet/), 1, 'one line');

# and it is found again, without being asked for

$from = $t->log_pos();
$store->listen();

ok($t->wait_log(qr/\[notice\] .*fleet/, from => $from), 'found');
is(event($u, 'found', uri => '/reject'), '200 PASSED MINE 1', 'found - asked');
is(event($u, 'start-reject', uri => '/reject'), '200 PASSED MINE 1',
	'found - what was rejected is new');

# what was accepted meanwhile is told to the store

ok(wait_until(sub { grep { $_ =~ /^d:/ } values_of() }), 'found - told');

###############################################################################

# requests are no probes: there are as many attempts with them as without

$store->reset()->on(qr/./, 'close');
$store->cut();

my $end = time() + 1.5;
my $n = 0;

while (time() < $end) {
	event($u, 'probe-' . ++$n);
}

# 100 ms, 200, 400, 800, each less by a quarter at most

my $attempts = $store->connections();
my $most = 1;
my ($at, $delay) = (0.075, 0.075);

for ($end -= 1.5; $end + $at < time(); $at += $delay *= 2) {
	$most++;
}

cmp_ok($attempts, '<=', $most, "attempts beside $n events");
cmp_ok($attempts, '>=', 1, 'attempts');

$from = $t->log_pos();
$store->reset();

ok($t->wait_log(qr/\[notice\] .*fleet/, from => $from), 'attempts - found');

###############################################################################

# it hangs: what waits does so at most for the timeout, and once

my @known = map { "probe-$_" } 1 .. $n;

foreach my $case ([ '/hook', '200 PASSED store_unavailable FAILED 1' ],
	[ '/reject', '503 UNAVAILABLE store_unavailable FAILED 0' ])
{
	my ($uri, $verdict) = @$case;

	$from = $t->log_pos();
	my $before = $t->log_pos('verdict.log');

	# what came of others was told by then

	wait_until(sub {
		@known == $redis->command('EXISTS', map { event_key($_) } @known)
			and !grep { !defined $_->{reply} }
				$store->commands(qr/ d:/);
	});

	$store->stall(1);

	my $time = time();

	is(event($u, "hangs$uri", uri => $uri), $verdict, "hangs $uri");
	cmp_ok(time() - $time, '>=', 0.4, "hangs $uri - asked");

	my ($line) = $t->wait_log(qr/"FAILED"/, name => 'verdict.log',
		from => $before);

	like($line, qr/ (?:0\.[4-9]|[1-9]\.\d)\d\d \d/, "hangs $uri - \$webhook_store_time");

	ok($t->wait_log(qr/\[error\] .*fleet.*\(110: /, from => $from),
		"hangs $uri - logged");

	is(event($u, "hangs-then$uri"), '200 PASSED store_unavailable DOWN 1',
		"hangs $uri - then it is down");

	$store->stall(0);

	ok($t->wait_log(qr/\[notice\] .*fleet/, from => $from),
		"hangs $uri - found");
	is(event($u, "hangs-again$uri", uri => $uri), '200 PASSED MINE 1',
		"hangs $uri - goes on");

	push @known, "hangs-then$uri", "hangs-again$uri";
}

# each of many waits for as long, not for the others

$store->stall(1);

my @c = map { event_request("many-$_", send_only => 1) } 1 .. 30;
my $time = time();
my @told = map { told($_->response()) } @c;

is(scalar(grep { $_ eq '200 PASSED store_unavailable FAILED' } @told), 30,
	'many wait');

my ($last) = sort { $b <=> $a } map { / (\S+) \S+$/ ? $1 : () }
	$t->lines(qr/"FAILED"/, name => 'verdict.log');

cmp_ok($last, '<', 3, 'many wait - not for each other');

$from = $t->log_pos();
$store->stall(0);
$t->wait_log(qr/\[notice\] .*fleet/, from => $from);

# a claim that was rejected while it was asked for is free when it is answered

$store->reset()->once(qr/ p:/, { before => 0.1, delay => 0.7 });

is(event($u, 'late', uri => '/reject'),
	'503 UNAVAILABLE store_unavailable FAILED 0', 'late');
ok($t->wait_log(qr/\[notice\] .*fleet/, from => $from, count => 2),
	'late - found');
is(event($u, 'late', uri => '/reject'), '200 PASSED MINE 1',
	'late - and asked again');

# the connection ends while it is asked

foreach my $how (qw/ close reset late /) {
	$from = $t->log_pos();
	$store->reset()->once(qr/ p:/, $how);

	is(event($u, "ends-$how"), '200 PASSED store_unavailable FAILED 1',
		"$how");
	ok($t->wait_log(qr/\[error\] .*fleet/, from => $from), "$how - logged");
	ok($t->wait_log(qr/\[notice\] .*fleet/, from => $from),
		"$how - found");
}

# the connection ends while nothing is asked

$from = $t->log_pos();
$store->cut();

ok($t->wait_log(qr/\[error\] .*fleet/, from => $from), 'idle - noticed');
ok($t->wait_log(qr/\[notice\] .*fleet/, from => $from), 'idle - found');
is(event($u, 'idle'), '200 PASSED MINE 1', 'idle - goes on');

# a half-closed one is closed

$from = $t->log_pos();
$store->reset()->once(qr/ p:/, { half_close => 1 });

is(event($u, 'half'), '200 PASSED MINE 1', 'half-closed');
ok($t->wait_log(qr/\[error\] .*fleet/, from => $from),
	'half-closed - noticed');
ok($t->wait_log(qr/\[notice\] .*fleet/, from => $from),
	'half-closed - found');

###############################################################################

# while the first handshake has not ended, it is waited for

$t->stop();
$store->reset()->once(qr/^INFO/, { delay => 0.3 });
$t->run();

$time = time();
is(event($u, 'first'), '200 PASSED MINE 1', 'first handshake');

# within the timeout

$t->stop();
$store->reset()->once(qr/^INFO/, { delay => 0.9 });
$from = $t->log_pos();
$t->run();

like(event($u, 'second'), qr/^200 PASSED store_unavailable (?:FAILED|DOWN) 1$/,
	'first handshake - for the timeout');

ok($t->wait_log(qr/\[notice\] .*fleet/, from => $from),
	'first handshake - in the end');

# and the handshake for the time of connecting

$t->stop();
$store->reset()->stall(1);
$from = $t->log_pos();
$time = time();
$t->run();

ok($t->wait_log(qr/\[error\] .*fleet/, from => $from), 'connect timeout');
cmp_ok(time() - $time, '>=', 0.9, 'connect timeout - a second');
is(event($u, 'third'), $local, 'connect timeout - down');

$store->reset();
ok($t->wait_log(qr/\[notice\] .*fleet/, from => $from),
	'connect timeout - found');

###############################################################################

sub values_of {
	return map { $redis->command('GET', $_) || '' } $redis->keys();
}

###############################################################################
