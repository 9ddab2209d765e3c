#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for a server with a store whose clock jumps, ahead and back: while an
# event is with the application, once it is remembered, and while the store has
# yet to be told of it.  What was accepted is a duplicate here and elsewhere,
# what was not is delivered.

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

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

use constant HOUR => 3600;

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faketime();
my $redis = Test::Nginx::Redis->new(8379);

$t->plan(45);

my $other = Test::Nginx->new();
my $store = Test::Nginx::Store->new(8380, 8379);

my $monitor = 'server { listen 127.0.0.1:8088; server_name localhost;'
	. ' location = /webhooks { webhook_monitor; } }';

$t->write_file_expand('nginx.conf', fleet_conf(dedup => 'lease=30s',
	http => $monitor));
$other->write_file_expand('nginx.conf', fleet_conf(port => 8180,
	store => 'server 127.0.0.1:8379;'));

my $u = upstream(8081);
my $start = time();

$other->run();
$t->clock($start)->run();

$_->wait_log(qr/\[notice\] .*fleet/) or die "no store\n" foreach $t, $other;

my $here = '200 DUPLICATE already_delivered 0';
my $there = '200 DUPLICATE already_delivered DONE 0';
my $new = '200 PASSED MINE 1';

###############################################################################

foreach my $case ([ 'ahead', 2 * HOUR ], [ 'back', -2 * HOUR ]) {
	my ($name, $jump) = @$case;

	$t->clock($start);

	# accepted before, and known after: by the store if not by the zone

	is(event($u, "$name-before"), $new, "$name - delivered before");
	ok(stored("$name-before"), "$name - stored");

	# with the application meanwhile: its lease is over, or nobody knows of
	# what time it is; another may deliver it too, and one who does not is
	# told to come again

	$u->reset()->on(qr!^/hook!, 'hang');

	my $client = event_request("$name-during", send_only => 1);
	ok(wait_until(sub { $u->count() == 1 }), "$name - with the application");

	$t->clock($start + $jump);

	my $again = event_request("$name-during", send_only => 1);

	wait_until(sub {
		$u->count() == 2 || $t->lines(qr/lease_held/);
	});

	$u->on(qr!^/hook!);
	$u->release();

	is(told($client->response()), '200 PASSED MINE', "$name - accepted");
	like(told($again->response()),
		qr/^(?:200 PASSED MINE|503 IN_FLIGHT lease_held)/,
		"$name - the second one");

	is(event($u, "$name-during"), $here, "$name - known here");
	ok(stored("$name-during"), "$name - the store is told");
	is(event($u, "$name-during", port => 8180), $there,
		"$name - known elsewhere");

	is(event($u, "$name-before"), $jump > 0 ? $there : $here,
		"$name - known from before");

	# not accepted: free for everybody

	is(event($u, "$name-refused", answer => 500),
		'500 PASSED MINE 1', "$name - not accepted");
	is(event($u, "$name-forged", forged => 1),
		'401 REJECTED signature_mismatch 0', "$name - forged");
	is(event($u, "$name-refused", port => 8180, answer => 200), $new,
		"$name - free elsewhere");

	# delivered at that time, and asked for at the right one

	is(event($u, "$name-after"), $new, "$name - delivered after");
	ok(stored("$name-after"), "$name - stored after");

	$t->clock($start);

	is(event($u, "$name-after"), $jump > 0 ? $here : $there,
		"$name - known after it");
	is(event($u, "$name-after", port => 8180), $there,
		"$name - known elsewhere after it");
}

# what the store is told has the time that is left, as the clock has it

is(join(' ', grep { $_ <= 0 || $_ > HOUR * 1000 }
	map { / PX (\d+)$/ } map { $_->{text} } $store->commands(qr/ d:/)), '',
	'never too long');

###############################################################################

# The store is to be told of an event that was accepted while it was away: if
# there is time left for it, by the clock as it is then.

foreach my $case (
	[ 'owed, ahead', HOUR / 2, qr/ PX 1[78]\d{5}$/ ],
	[ 'owed, back', -2 * HOUR, qr/ PX 10[78]\d{5}$/ ],
	[ 'owed, over', 2 * HOUR ],
) {
	my ($name, $jump, $re) = @$case;
	my $id = $name =~ s/\W+/-/r;

	my $from = $t->log_pos();

	$store->refuse()->cut();
	$t->wait_log(qr/\[error\] .*fleet.* is down/, from => $from)
		or die "not down\n";

	like(event($u, $id), qr/^200 PASSED store_unavailable \w+ 1$/,
		"$name - delivered");

	$t->clock($start + $jump);
	$store->reset()->listen();

	ok($re ? $store->wait_for(qr/^SET \Q@{[ event_key($id) ]}\E d:.*$re/, 1)
		: $t->wait_log(qr/\[notice\] .*fleet.* is up/, from => $from),
		"$name - told");
	ok(wait_until(sub { metric('store_owed', zone => 'events') == 0 }),
		"$name - not owed any more");

	is($store->count(qr/^SET \Q@{[ event_key($id) ]}\E d:/), 0,
		"$name - not told") if !$re;

	is(event($u, $id, port => 8180), $there, "$name - known elsewhere")
		if $re;

	$t->clock($start);
}

###############################################################################

sub stored {
	my ($id) = @_;

	return wait_until(sub {
		($redis->command('GET', event_key($id)) || '') =~ /^d:/
	});
}

###############################################################################
