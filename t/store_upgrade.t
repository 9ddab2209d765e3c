#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for a binary upgrade of a server with a store: old and new processes
# do not share a zone, and meet in the store.

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

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy/);
my $redis = Test::Nginx::Redis->new(8379);

$t->plan(21);

my $store = Test::Nginx::Store->new(8380, 8379);

$t->write_file_expand('nginx.conf', fleet_conf(
	locations => { '/wait' => 'webhook_in_flight_wait 20s;' }));

my $u = upstream(8081);

$t->run();
$t->wait_log(qr/\[notice\] .*fleet/) or die "no store\n";

###############################################################################

# what the old ones have accepted, and what they are at

is(event($u, 'accepted'), '200 PASSED MINE 1', 'accepted');
ok(stored('accepted'), 'accepted - in the store');

$u->reset()->script('hang', 'hang');

my @first = (first('good', 1), first('bad', 2));

my $old = $t->master();
my ($worker) = $t->workers();
my $from = $t->log_pos();
my $new = $t->upgrade();

ok($new, 'upgrade');
ok($t->wait_log(qr/\[notice\] .*fleet/, from => $from), 'upgrade - up');

# from now on the new ones answer

kill 'WINCH', $old;
ok(wait_until(sub { !$t->workers($old) }), 'old workers shut down');
ok(kill(0, $worker), 'old workers - still at work');

is(told(event_request('accepted')), '200 DUPLICATE already_delivered DONE',
	'accepted by an old one');
is(told(event_request('accepted')), '200 DUPLICATE already_delivered',
	'and known to the new one');

# in flight at an old one: the new one waits for what comes of it

my $asked = $store->count(qr/^SET \S+ p:/);
my @then = map { event_request($_, uri => '/wait', send_only => 1) }
	qw/ good bad /;

ok($store->wait_for(qr/^SET \S+ p:/, $asked + 4), 'in flight - asked again');
is($u->count(), 2, 'in flight - delivered once');

$u->release(1, 200);
is(told($first[0]->response()), '200 PASSED MINE', 'in flight - accepted');
is(told($then[0]->response()), '200 DUPLICATE already_delivered DONE',
	'in flight - a duplicate');
is($u->count(), 2, 'in flight - not delivered again');

$u->release(1, 500);
is(told($first[1]->response()), '500 PASSED MINE', 'in flight - refused');
is(told($then[1]->response()), '200 PASSED MINE',
	'in flight - delivered by the new one');
is($u->count(), 3, 'in flight - once more');

$_->close() foreach @first, @then;

# the old ones go

kill 'QUIT', $old;
ok(wait_until(sub { !kill 0, $old, $worker }), 'old ones end');
$t->follow($new);

is(join(', ', map { told(event_request($_)) } qw/ accepted good bad /),
	join(', ', ('200 DUPLICATE already_delivered') x 3),
	'all is remembered');
is(event($u, 'new'), '200 PASSED MINE 1', 'the new ones go on');
ok(stored('new'), 'the new ones - tell');

my @values = map { $redis->command('GET', $_) }
	$redis->keys('*' . '[0-9a-f]' x 32);

is(scalar(grep { /^d:/ } @values) . ' of ' . @values, '4 of 4',
	'nothing else is left');

###############################################################################

sub first {
	my ($id, $n) = @_;

	my $c = event_request($id, send_only => 1);
	$u->wait_for($n) or die "not delivered\n";

	return $c;
}

sub stored {
	my ($id) = @_;

	return wait_until(sub {
		($redis->command('GET', event_key($id)) || '') =~ /^d:/
	});
}

###############################################################################
