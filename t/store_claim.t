#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for a zone with a store: what is asked of the store, when, and what is
# made of its answers.

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

$t->plan(66);

my $store = Test::Nginx::Store->new(8380, 8379);

my $dedup = 'webhook_dedup zone=events key=events';

$t->write_file_expand('nginx.conf', fleet_conf(
	http => 'webhook_dedup_zone zone=alone:1m;',
	locations => {
		'/lease' => "$dedup ttl=90s lease=7s;",
		'/reject' => "$dedup ttl=1h on_mismatch=reject;",
		'/pass' => "$dedup ttl=1h on_mismatch=pass;",
		'/dry' => 'webhook_dry_run on;',
		'/alone' => 'webhook_dedup zone=alone key=events;',
		'/off' => 'webhook_dedup off;',
	},
));

my $u = upstream(8081);

$t->run();

###############################################################################

# the connection is made at once, and not used before it has proved itself

ok($store->wait_for(qr/^EVAL .*probe/s, 1), 'handshake');

my @handshake = map { $_->{text} } $store->commands();

is(scalar(grep { /^INFO server replication memory$/ } @handshake), 1,
	'handshake - what it is');
is(scalar(grep { /^PING$/ } @handshake), 1, 'handshake - ping');
is(scalar(grep { /^SET webhook:fleet:probe p:\S+ NX GET PX \d+$/ }
	@handshake), 1, 'handshake - a claim');
is(scalar(grep { /^AUTH/ } @handshake), 0,
	'handshake - nothing that was not asked for');
ok(wait_until(sub { !$redis->keys() }), 'handshake - leaves nothing');
ok($t->wait_log(qr/\[notice\] .*fleet/), 'handshake - logged');

# accepted

$store->reset();

my $now = time();

is(event($u, 'accepted'), '200 PASSED MINE 1', 'accepted');

ok($store->wait_for(qr/ d:/, 1), 'accepted - commit');

my ($claim, $commit, @more) = commands();

is(scalar @more, 0, 'accepted - two commands');

like($claim->{text}, qr/^SET \s webhook:fleet:[0-9a-f]{32} \s
	p:[0-9a-f]{16}:[0-9a-f]{16} \s NX \s GET \s PX \s 30000$/x,
	'accepted - claim');

my $key = $claim->{args}[1];

is($key, event_key('accepted'), 'accepted - the key is the same everywhere');

like($commit->{text}, qr/^SET \s $key \s d:\d+:(?:0|[0-9a-f]{8}) \s GET \s
	PX \s \d+$/x, 'accepted - commit of the same key');

my ($until, $body) = $commit->{args}[2] =~ /^d:(\d+):(.*)/;

cmp_ok(abs($until - $now - 3600), '<=', 3, 'accepted - until');
cmp_ok(abs($commit->{args}[5] - 3600000), '<=', 3000,
	'accepted - for how long');

ok(wait_until(sub { ($redis->command('GET', $key) || '') eq "d:$until:$body" }),
	'accepted - in the store');
is((commands())[1]->{reply}, bulk($claim->{args}[2]), 'accepted - was ours');

# what the zone knows is not asked of the store

is(event($u, 'accepted'), '200 DUPLICATE already_delivered 0', 'repeated');
is(event($u, 'accepted', uri => '/dry'),
	'200 DUPLICATE_DRY_RUN already_delivered 1', 'repeated in dry run');
is(scalar commands(), 2, 'repeated - no command');

# the claim comes before the upstream is asked

$store->reset()->once(qr/ p:/, { delay => 0.3 });

is(event($u, 'order'), '200 PASSED MINE 1', 'order');

($claim) = commands();
cmp_ok($u->last()->{time}, '>=', $claim->{time} + 0.3,
	'order - not proxied before');

# times are those of the location

$store->reset();

is(event($u, 'lease', uri => '/lease'), '200 PASSED MINE 1', 'lease');

$key = event_key('lease');
$store->wait_for(qr/^SET $key d:/, 1);
($claim, $commit) = $store->commands(qr/^SET $key /);

is($claim->{args}[6], 7000, 'lease - claim');
cmp_ok(abs($commit->{args}[5] - 90000), '<=', 3000, 'lease - ttl');

# claims have different numbers, of one zone

my @claims;

foreach my $id (1 .. 3) {
	$store->reset();
	event($u, "number-$id");
	push @claims, ($store->commands(qr/ p:/))[0]->{args}[2];
}

is(unique(map { /:(\w+)$/ } @claims), 3, 'number - of the claim');
is(unique(map { /^p:(\w+)/ } @claims), 1, 'number - of the zone');

# not accepted: free at once, and for whoever holds it only

foreach my $answer (500, 404, 302, 'close') {
	$store->reset();

	my $status = $answer eq 'close' ? 502 : $answer;

	is(event($u, "fails-$answer", answer => $answer),
		"$status PASSED MINE 1", "fails $answer");

	ok($store->wait_for(qr/^EVAL/, 1), "fails $answer - freed");

	my ($claim) = $store->commands(qr/ p:/);
	my ($free) = $store->commands(qr/^EVAL/);

	$key = $claim->{args}[1];

	is(join(' ', @{$free->{args}}[2 .. 4]), "1 $key $claim->{args}[2]",
		"fails $answer - what was claimed");
	ok(wait_until(sub { !defined $redis->command('GET', $key) }),
		"fails $answer - gone");
}

is(event($u, 'fails-500'), '200 PASSED MINE 1', 'fails - and then not');

# what others have accepted

$key = key_of($store, $u, 'other');
$until = time() + 100;

$redis->command('SET', $key, "d:$until:0", 'PX', 100000);
$store->reset();

is(event($u, 'other'), '200 DUPLICATE already_delivered DONE 0', 'other');
is(scalar commands(), 1, 'other - one command');
is(event($u, 'other'), '200 DUPLICATE already_delivered 0',
	'other - known now');
is(event($u, 'other', note => 'another body', uri => '/reject'),
	'200 DUPLICATE already_delivered 0', 'other - its body is not known');
is(scalar commands(), 1, 'other - no other command');
is($redis->command('GET', $key), "d:$until:0", 'other - as it was');

# with another body

foreach my $case ([ '/hook', '200 DUPLICATE already_delivered DONE 0' ],
	[ '/reject', '422 REJECTED body_mismatch DONE 0' ],
	[ '/pass', '200 PASSED body_mismatch DONE 1' ])
{
	my ($uri, $verdict) = @$case;

	$key = key_of($store, $u, "body$uri");
	$redis->command('SET', $key, "d:$until:3fffffff", 'PX', 100000);

	is(event($u, "body$uri", uri => $uri), $verdict, "other body $uri");
}

# what others are at

$key = key_of($store, $u, 'busy');
$redis->command('SET', $key, 'p:0123456789abcdef:0000000000000001', 'PX',
	100000);

is(event($u, 'busy'), '503 IN_FLIGHT lease_held BUSY 0', 'busy');
is(event($u, 'busy'), '503 IN_FLIGHT lease_held BUSY 0', 'busy - again');

$redis->command('DEL', $key);

is(event($u, 'busy'), '200 PASSED MINE 1', 'busy - and free again');

# dry run looks, and leaves no trace

$key = key_of($store, $u, 'dry');
$store->reset();

like(event($u, 'dry', uri => '/dry'), qr/^200 PASSED_DRY_RUN .*1$/,
	'dry run');
is(join(' ', map { $_->{text} } commands()), "GET $key",
	'dry run - looks');
like(event($u, 'dry', uri => '/dry'), qr/^200 PASSED_DRY_RUN .*1$/,
	'dry run - again');

$redis->command('SET', $key, "d:$until:0", 'PX', 100000);

is(event($u, 'dry', uri => '/dry'),
	'200 DUPLICATE_DRY_RUN already_delivered DONE 1', 'dry run - sees');
is(scalar(grep { $_->{text} !~ /^GET/ } commands()), 0,
	'dry run - nothing is written');

# who is not concerned does not ask

$store->reset();

is(event($u, 'alone', uri => '/alone'), '200 PASSED 1', 'no store');
is(event($u, 'off', uri => '/off'), '200 PASSED 1', 'no dedup');
is(event($u, 'forged', forged => 1), '401 REJECTED signature_mismatch 0',
	'forged');
is($store->count(qr/ p:|^GET/), 0, 'not asked');
is($store->connections(), 0, 'one connection for all');

###############################################################################

# PING is for idle connections; and what came of the event before may be told
# after it was answered

sub commands {
	my ($key) = map { $_->{args}[1] } $store->commands(qr/ p:|^GET/);

	return grep { defined $key && $_->{text} =~ / \Q$key\E / || $_->{text}
		=~ /^GET/ } $store->commands();
}

sub bulk {
	my ($text) = @_;
	return '$' . length($text) . "\r\n$text\r\n";
}

sub unique {
	my %seen = map { $_ => 1 } @_;
	return scalar keys %seen;
}

###############################################################################
