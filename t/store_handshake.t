#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the handshake with a store: who it must be, and what it must be able
# to do, before it is asked for events; and which of several is asked.

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

$t->plan(82);

my $store = Test::Nginx::Store->new(8380, 8379);

# the second one is for failing over

my $second = Test::Nginx::Redis->new(8381);
my $spare = Test::Nginx::Store->new(8382, 8381);

my $u = upstream(8081);
my $from;

start('server 127.0.0.1:8380;');

###############################################################################

# all of it in one write, before anything else

my @names = map { $_->{args}[0] } $store->commands();
like("@names", qr/^(?:SELECT )?INFO PING SET EVAL$/, 'in this order');

# what keeps it down; and the log says why

my $info = $redis->command('INFO', 'server', 'replication', 'memory');

foreach my $case (
	[ 'replica', qr/^INFO/, info('role:master', 'role:slave'),
		qr/slave|replica|primary|master/ ],
	[ 'version 6', qr/^INFO/, info('redis_version:\d+', 'redis_version:6'),
		qr/older than 7\.0/ ],
	[ 'no role', qr/^INFO/, info('role:\w+', 'roll:master'), qr/fleet/ ],
	[ 'old INFO', qr/^INFO/, "-ERR syntax error\r\n",
		qr/older than 7\.0/ ],
	[ 'old SET', qr/^SET/, "-ERR syntax error\r\n", qr/older than 7\.0/ ],
	[ 'loading', qr/^INFO/, "-LOADING dataset\r\n", qr/LOADING/ ],
	[ 'PING', qr/^PING/, "-NOAUTH needed\r\n", qr/NOAUTH/ ],
	[ 'PONG', qr/^PING/, "+OK\r\n", qr/fleet/ ],
	[ 'write', qr/^SET/, "-NOREPLICAS few\r\n", qr/NOREPLICAS/ ],
	[ 'READONLY', qr/^SET/, "-READONLY replica\r\n", qr/READONLY/ ],
	[ 'EVAL', qr/^EVAL/, "-NOPERM no eval\r\n", qr/NOPERM/ ],
	[ 'clusters', qr/^SET/, "-MOVED 1 127.0.0.1:1\r\n", qr/cluster/i ],
	[ 'HTTP', qr/^INFO/, "HTTP/1.1 400 Bad Request\r\n\r\n", qr/fleet/ ],
	[ 'full', qr/^INFO/, "-ERR max number of clients reached\r\n",
		qr/max number/ ],
) {
	my ($name, $command, $reply, $log) = @$case;

	begin();
	$store->on($command, { reply => $reply });
	$t->reload();

	like($t->wait_log(qr/\[error\].*fleet/, from => $from), $log,
		"$name - why");
	ok($store->wait_for($command, 2), "$name - tried again");
	like(event($u, "$name"), qr/^200 PASSED store_unavailable DOWN 1$/,
		"$name - not used");

	$store->reset();
	ok(up(), "$name - and then it is") or last;
}

# what does not

foreach my $case (
	[ 'INFO refused', qr/^INFO/,
		"-NOPERM this user has no permissions to run 'info'\r\n" ],
	[ 'OOM', qr/^SET/, "-OOM command not allowed\r\n" ],
	[ 'newer', qr/^INFO/, info('redis_version:\d+', 'redis_version:17') ],
) {
	my ($name, $command, $reply) = @$case;

	begin();
	$store->on($command, { reply => $reply });
	$store->cut();

	ok(up(), "$name - up");
	$store->reset();
	is(event($u, $name), '200 PASSED MINE 1', "$name - used");
}

# what will forget events is warned of, once it is seen

foreach my $policy (qw/ allkeys-lru volatile-random noeviction
	volatile-ttl /)
{
	begin();
	$redis->command('CONFIG', 'SET', 'maxmemory-policy', $policy);
	$store->cut();
	up();

	my @warnings = $t->lines(qr/\[warn\] .*$policy/, from => $from);

	is(scalar @warnings, $policy =~ /lru|random/ ? 1 : 0, $policy);
}

###############################################################################

# another database, another prefix

start('server 127.0.0.1:8380; database 3; prefix other-prefix/;');

is(($store->commands(qr/^SELECT/))[0]{text}, 'SELECT 3', 'database');
is(event($u, 'elsewhere'), '200 PASSED MINE 1', 'database - used');

$redis->command('SELECT', 3);
my $key = event_key('elsewhere') =~ s/.*:/other-prefix\//r;
ok(wait_until(sub { ($redis->command('GET', $key) || '') =~ /^d:/ }),
	'database - and prefix');
$redis->command('SELECT', 0);

# no such database

begin();
$store->on(qr/^SELECT/, { reply => "-ERR DB index is out of range\r\n" });
$t->reload();
like($t->wait_log(qr/\[error\] .*fleet/, from => $from), qr/out of range/,
	'database - there is none');
$store->reset();

###############################################################################

# of several, the first that is a primary

start('server 127.0.0.1:8380; server 127.0.0.1:8382;');

is(event($u, 'two'), '200 PASSED MINE 1', 'two servers');
is($spare->count(), 0, 'two servers - the first one');

begin();
$store->refuse()->cut();
ok(up(), 'two servers - the second');
is(event($u, 'two again'), '200 PASSED MINE 1', 'two servers - is asked');
is($spare->count(qr/^SET \S+[0-9a-f]{32} p:/), 1,
	'two servers - where');

# it has been told of what the first knew

ok(wait_until(sub { $second->keys('*' . '[0-9a-f]' x 32) > 5 }),
	'two servers - and told');

# the first is a replica by now

begin();
$store->listen()->on(qr/^INFO/, { reply => info('role:master', 'role:slave') });
$spare->cut();
ok(up(), 'a replica is passed over');
is(event($u, 'passed over'), '200 PASSED MINE 1', 'a replica - not asked');

$store->reset();

# the primary becomes one: it is left

$spare->reset();
begin();
$second->command('REPLICAOF', '127.0.0.1', $redis->port());
is(event($u, 'demoted'), '200 PASSED store_unavailable FAILED 1',
	'demoted - refuses');
ok(up(), 'demoted - another one');
is(event($u, 'promoted'), '200 PASSED MINE 1', 'demoted - is asked');

###############################################################################

sub start {
	my ($block) = @_;

	$t->write_file_expand('nginx.conf', fleet_conf(store => $block));

	begin();
	$t->master() ? $t->reload() : $t->run();
	up() or die "no store\n";
}

sub begin {
	$from = $t->log_pos();
	$store->reset();
}

sub up {
	return $t->wait_log(qr/\[notice\] .*fleet/, from => $from,
		timeout => 20);
}

sub info {
	my ($re, $text) = @_;

	my $changed = $info =~ s/\b$re\b/$text/r;

	return '$' . length($changed) . "\r\n$changed\r\n";
}

###############################################################################
