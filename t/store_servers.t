#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for servers that share a store: what one of them has done, the others
# know.

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

my $t = Test::Nginx->new()->has(qw/http proxy/)
	->allow(qr/\[alert\] .* exited on signal 9/);
my $redis = Test::Nginx::Redis->new(8379);

$t->plan(53);

my $other = Test::Nginx->new();
my $store = Test::Nginx::Store->new(8380, 8379);

my $dedup = 'webhook_dedup zone=events';

my %conf = (
	workers => 2,
	locations => {
		'/reject' => "$dedup key=events on_mismatch=reject;",
		'/lease' => "$dedup key=events lease=2s;",
		'/wait' => 'webhook_in_flight_wait 10s;',
		'/second' => 'webhook_in_flight_wait 1200ms;',
		'/place' => "$dedup;",
		'/elsewhere' => "$dedup;",
	},
);

$t->write_file_expand('nginx.conf', fleet_conf(%conf));
$other->write_file_expand('nginx.conf', fleet_conf(%conf, port => 8180));

my $u = upstream(8081);

$_->run() foreach $t, $other;

foreach ($t, $other) {
	$_->wait_log(qr/\[notice\] .*fleet/, count => 2);
}

###############################################################################

# accepted here, a duplicate there

is(event($u, 'accepted'), '200 PASSED MINE 1', 'accepted');
accepted(1);
is(event($u, 'accepted', port => 8180),
	'200 DUPLICATE already_delivered DONE 0', 'accepted - elsewhere');
is(event($u, 'accepted', port => 8180), '200 DUPLICATE already_delivered 0',
	'accepted - known there');

# the body of the first

is(event($u, 'body', uri => '/reject'), '200 PASSED MINE 1', 'body');
accepted(2);
is(event($u, 'body', note => 'other', port => 8180, uri => '/reject'),
	'422 REJECTED body_mismatch DONE 0', 'body - another one');
is(event($u, 'body', port => 8180, uri => '/reject'),
	'200 DUPLICATE already_delivered 0', 'body - the same');
is(event($u, 'body', note => 'other', port => 8180, uri => '/reject'),
	'422 REJECTED body_mismatch 0', 'body - another one, known now');

# failed here, delivered there

is(event($u, 'failed', answer => 500), '500 PASSED MINE 1', 'failed');
ok(freed(1), 'failed - freed');
is(event($u, 'failed', port => 8180), '200 PASSED MINE 1',
	'failed - elsewhere');
accepted(3);
is(event($u, 'failed'), '200 DUPLICATE already_delivered DONE 0',
	'failed - and then accepted');

# the same place on both, and another one

is(event($u, 'place', uri => '/place'), '200 PASSED MINE 1', 'place');
accepted(4);
is(event($u, 'place', uri => '/place', port => 8180),
	'200 DUPLICATE already_delivered DONE 0', 'place - the same');
is(event($u, 'place', uri => '/elsewhere', port => 8180), '200 PASSED MINE 1',
	'place - another one');

###############################################################################

# in flight here: there it is held back, for as long as it is held back

my $first = first('busy');

is(told(event_request('busy', port => 8180)), '503 IN_FLIGHT lease_held BUSY',
	'in flight');

my $r = event_request('busy', port => 8180);
is($r->header('Retry-After'), 5, 'in flight - when to come again');

# asked again and again meanwhile

$store->reset();

my $time = time();
is(told(event_request('busy', port => 8180, uri => '/second')),
	'503 IN_FLIGHT lease_held BUSY', 'in flight - for a second');
$time = time() - $time;

cmp_ok($time, '>=', 1.19, 'in flight - held');

my @claims = $store->commands(qr/ p:/);

cmp_ok(scalar @claims, '>=', 2, 'in flight - asked again');
cmp_ok(scalar @claims, '<=', 1 + $time / 0.19, 'in flight - not too often');

is($u->count(), 1, 'in flight - delivered once');

# and then accepted

my $second = event_request('busy', port => 8180, uri => '/wait',
	send_only => 1);
my $third = event_request('busy', port => 8180, uri => '/wait',
	send_only => 1);
$other->wait_access('/wait');

$u->release();

is(told($first->response()), '200 PASSED MINE', 'then accepted - first');
is(join(', ', sort map { told($_->response()) =~ s/ DONE$//r }
	$second, $third), join(', ', ('200 DUPLICATE already_delivered') x 2),
	'then accepted - those that wait elsewhere');
is($u->count(), 1, 'then accepted - delivered once');

# or not

$first = first('fails');
$second = event_request('fails', port => 8180, uri => '/wait',
	send_only => 1);
$other->wait_access('/wait');
$store->reset();
$store->wait_for(qr/ p:/, 2);

$u->release(1, 500);

is(told($first->response()), '500 PASSED MINE', 'then fails - first');
is(told($second->response()), '200 PASSED MINE',
	'then fails - delivered elsewhere');
is($u->count(), 2, 'then fails - twice in all');

# or its sender leaves

$first = first('left');
$second = event_request('left', port => 8180, uri => '/wait',
	send_only => 1);
$other->wait_access('/wait');

$first->abort();

is(told($second->response()), '200 PASSED MINE', 'left - delivered elsewhere');

# who waits may leave: nothing stays behind

$first = first('waiter');
$second = event_request('waiter', port => 8180, uri => '/wait',
	send_only => 1, headers => [ [ 'X-Case', 'waiter' ] ]);
$other->wait_access('/wait');
$store->reset();
$store->wait_for(qr/ p:/, 1);
$second->abort();

like(($other->logged('waiter'))[0] || '', qr/^499 /, 'waiter - gone');

$store->reset();
$u->release(1, 500);
is(told($first->response()), '500 PASSED MINE', 'waiter - first');
is(event($u, 'waiter'), '200 PASSED MINE 1', 'waiter - free');

###############################################################################

# a claim is renewed in the store while its request lives

$first = first('renewed', uri => '/lease');
$store->reset();

ok($store->wait_for(qr/^EVAL .* 2000$/s, 4), 'renewed');

my ($keep) = $store->commands(qr/^EVAL/);
my ($key, $claim) = @{$keep->{args}}[3, 4];

is($keep->{args}[5], $claim, 'renewed - as what it is');
like($claim, qr/^p:[0-9a-f]{16}:[0-9a-f]{16}$/, 'renewed - the claim');
is($redis->command('GET', $key), $claim, 'renewed - in the store');
is(event_answer('renewed', port => 8180, uri => '/lease'),
	'503 IN_FLIGHT lease_held BUSY', 'renewed - held back elsewhere');

# what the store has lost meanwhile it has again

$redis->command('DEL', $key);
ok(wait_until(sub { ($redis->command('GET', $key) || '') eq $claim }),
	'renewed - is there again');

$u->release();
is(told($first->response()), '200 PASSED MINE', 'renewed - accepted');

# a claim that is another's by now is lost; the delivery goes on, and what it
# comes to counts if it is accepted

my $theirs = 'p:0123456789abcdef:0000000000000001';

foreach my $status (200, 500) {
	$first = first("lost-$status", uri => '/lease');
	$key = event_key("lost-$status");
	$store->reset();
	$store->wait_for(qr/^EVAL/, 1);

	my $from = $t->log_pos();

	$redis->command('SET', $key, $theirs, 'PX', 100000);
	ok($t->wait_log(qr/\[(?:warn|error|notice)\] .*lease/, from => $from),
		"lost $status - logged");
	is($redis->command('GET', $key), $theirs, "lost $status - theirs");

	$u->release(1, $status);

	is(told($first->response()), "$status PASSED MINE",
		"lost $status - answered");

	# the next one is behind what is told of this one

	event($u, "behind-$status", uri => '/lease');

	like($redis->command('GET', $key), $status == 200 ? qr/^d:/
		: qr/^\Q$theirs\E$/, "lost $status - told");
}

###############################################################################

# a worker that dies leaves a lease

$first = first('died', uri => '/lease');

$store->reset();
kill 'KILL', $t->workers();
$u->wait_gone(1);

is(event_answer('died', port => 8180, uri => '/lease'),
	'503 IN_FLIGHT lease_held BUSY', 'died - held back');
is(told(event_request('died', port => 8180, uri => '/wait')),
	'200 PASSED MINE', 'died - delivered when the lease is over');
accepted(1);
ok(wait_until(sub { told(event_request('died'))
	=~ /^200 DUPLICATE already_delivered/ }), 'died - known here then');

# a reload: the claims of old workers are the same

$first = first('reload', uri => '/lease');
$t->reload();

is(event_answer('reload', port => 8180, uri => '/lease'),
	'503 IN_FLIGHT lease_held BUSY', 'reload - held back');

$store->reset();
$u->release();
is(told($first->response()), '200 PASSED MINE', 'reload - accepted');
ok($store->wait_for(qr/ d:/, 1), 'reload - old workers commit');
$first->close();
ok(wait_until(sub { event_answer('reload', port => 8180)
	=~ /^200 DUPLICATE already_delivered/ }), 'reload - known elsewhere');

###############################################################################

# the first delivery of an event, which hangs

sub first {
	my ($id, %opts) = @_;

	$u->reset()->script('hang');

	my $c = event_request($id, %opts, send_only => 1, keepalive => 1);
	$u->wait_for(1) or die "no first delivery of $id\n";

	return $c;
}

sub event_answer {
	return told(event_request(@_));
}

# so many commits and frees have been answered

sub accepted {
	my ($n) = @_;
	return answered_by_store(qr/ d:/, $n);
}

sub freed {
	my ($n) = @_;
	return answered_by_store(qr/^EVAL (?!.*probe)/s, $n);
}

sub answered_by_store {
	my ($re, $n) = @_;

	return wait_until(sub {
		$n <= grep { defined $_->{reply} } $store->commands($re);
	});
}

###############################################################################
