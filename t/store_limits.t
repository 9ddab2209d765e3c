#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the limit of commands that a worker has under way at a store: what
# is more is not asked, and costs no time; and all is well when they are
# answered.

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

my $limit = 4096;

my $t = Test::Nginx->new()->has(qw/http proxy/);
my $redis = Test::Nginx::Redis->new(8379);

$t->plan(14);

my $store = Test::Nginx::Store->new(8380, 8379);

$t->write_file_expand('nginx.conf', fleet_conf(
	store => 'server 127.0.0.1:8380; timeout 50s;',
	http => 'server { listen 127.0.0.1:8088;'
		. ' location = /webhooks { webhook_monitor; } }',
	locations => {
		'/reject' => 'webhook_dedup zone=events key=events'
			. ' on_error=reject;',
	},
));

my $u = upstream(8081);

$t->run();
$t->wait_log(qr/\[notice\] .*fleet/) or die "no store\n";

###############################################################################

# senders leave while their events are asked for: the commands stay

$store->reset()->stall(1);

my $from = $t->log_pos('verdict.log');

foreach my $n (1 .. $limit / 256) {

	my @c = map { event_request("many-$n-$_", send_only => 1) } 1 .. 256;

	wait_until(sub { metric('dedup_claims_total') == $n * 256 })
		or die "not claimed\n";

	$_->abort() foreach @c;

	wait_until(sub { gone() == $n * 256 }) or die "still there\n";
}

is(gone(), $limit, 'senders have left');

# one more is not asked, and does not wait

is(event($u, 'more'), '200 PASSED store_unavailable FAILED 1', 'one more');
is(event($u, 'rejected', uri => '/reject'),
	'503 UNAVAILABLE store_unavailable FAILED 0', 'one more - rejected');
is(event($u, 'more'), '200 DUPLICATE already_delivered 0',
	'one more - the zone knows');

my @spent = map { /"FAILED" (\S+)/ ? $1 : () } $t->lines(qr/"FAILED"/,
	name => 'verdict.log', from => $from);
is("@spent", '0.000 0.000', 'one more - no time is spent');

# the connection is as it was, and all is answered in the end

is($store->connections(), 0, 'no connection is closed');
$store->stall(0);

ok($store->wait_for(qr/^SET \S+ p:/, $limit), 'all are asked');
ok($store->wait_for(qr/^EVAL/, $limit, timeout => 20), 'all are freed');

my %frees = map { $_->{args}[3] => 1 } $store->commands(qr/^EVAL/);
is(scalar keys %frees, $limit, 'each of them');

ok(wait_until(sub { $redis->keys('*' . '[0-9a-f]' x 32) == 1 }),
	'nothing is left but what was accepted');
like($redis->command('GET', event_key('more')), qr/^d:/,
	'one more - told afterwards');
is($store->count(qr/^SET \S+ p:/), $limit, 'none of those that were more');
is($store->connections(), 0, 'one connection for all');
is(event($u, 'then'), '200 PASSED MINE 1', 'asked again');

###############################################################################

sub gone {
	return scalar $t->lines(qr/^"-" 499/, name => 'verdict.log',
		from => $from);
}

###############################################################################
