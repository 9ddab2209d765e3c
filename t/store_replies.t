#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for what a store may answer: nothing but the answers that it has to give
# is taken for one, and none of them for done or free.

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

# these close the connection

my @errors = map { "-$_" }
	'LOADING Redis is loading the dataset in memory',
	'MASTERDOWN Link with MASTER is down',
	'MISCONF Redis is configured to save RDB snapshots',
	'NOREPLICAS Not enough good replicas to write.',
	'BUSY Redis is busy running a script.',
	'CLUSTERDOWN The cluster is down',
	'READONLY You can\'t write against a read only replica.',
	'NOAUTH Authentication required.',
	'WRONGPASS invalid username-password pair',
	'NOPERM this user has no permissions to run the \'set\' command',
	'DENIED Redis is running in protected mode',
	'MOVED 3999 127.0.0.1:6381',
	'ASK 3999 127.0.0.1:6381',
	'ERR max number of clients reached',
	'ERR syntax error',
	'', ' ', 'd:99999999999:0';

my @wrong = (
	'+OK', '+d:99999999999:0', ':0', ':1', ':-1', '*0', '*-1',
	"*1\r\n\$-1", "*2\r\n\$1\r\na\r\n:1", '$-2', '$', '$65537',
	'$2147483648', '$99999999999999999999999999999999', "\$3\r\nabcd",
	'_', '#t', 'd:99999999999:0', '', 'HTTP/1.1 400 Bad Request',
	"\x00\xff\x16\x03\x01\x02\x00", 'x' x 70000,
);

# these are answers, but to something else

my @values = (
	'', 'd', 'd:', 'd:1', 'd::', 'd::0', 'd:0', 'd:99999999999',
	'd:99999999999:', 'd:99999999999:g', 'd:99999999999:0:0',
	'd:99999999999:0 ', ' d:99999999999:0', 'D:99999999999:0',
	'd:-1:0', 'd:+99999999999:0', 'd:99999999999999999999999999:0',
	'd:9999999999x:0', 'd:99999999999:123456789', 'd:99999999999:-1',
	"d:99999999999:0\0", 'p', 'p:', 'p:1', 'p::', 'p:1:2',
	'p:0123456789abcdef:', 'p:0123456789abcdef:0000000000000001 ',
	'p:0123456789abcdeg:0000000000000001',
	'p:0123456789abcdef:00000000000000001', 'P:0123456789abcdef:1', 'OK',
	'1', 'nil', 'f:0', 'd:99999999999:0' x 1000,
);

$t->plan(28 + 3 * @errors + 3 * @wrong + @values);

my $store = Test::Nginx::Store->new(8380, 8379);

$t->write_file_expand('nginx.conf', fleet_conf(store =>
	'server 127.0.0.1:8380; timeout 300ms;'));

my $u = upstream(8081);

$t->run();
$t->wait_log(qr/\[notice\] .*fleet/) or die "no store\n";

my ($ids, $from) = (0);
my $failed = '200 PASSED store_unavailable FAILED 1';

###############################################################################

# errors, and what is no answer

foreach my $reply (@errors, @wrong) {
	(my $name = substr $reply, 0, 40) =~ s/[^ -~]+/ /g;

	is(came_of_reply("$reply\r\n"), $failed, "\"$name\"");
	like(went_down(), qr/fleet/, "\"$name\" - logged");
	ok(came_up(), "\"$name\" - connected again");
}

# what kind of a store it would take

$store->once(qr/ p:/, { reply => "-MOVED 3999 127.0.0.1:6381\r\n" });
$from = $t->log_pos();
event($u, 'moved');
like(went_down(), qr/cluster/i, 'clusters are not supported');
came_up();

# values that are not ours are of no use, and nothing more

$store->reset();

foreach my $value (@values) {
	my $name = length $value > 50 ? 'long' : $value =~ s/\0/ /r;
	is(came_of_reply('$' . length($value) . "\r\n$value\r\n"), $failed,
		"value \"$name\"");
}

is(came_of_reply("-WRONGTYPE Operation against a key\r\n"), $failed, 'WRONGTYPE');
is(came_of_reply("-OOM command not allowed\r\n"), $failed, 'OOM');
is($store->connections(), 0, 'the connection stays');
is(event($u, 'stays'), '200 PASSED MINE 1', 'and is used');

# a key of another type, for real

my $key = key_of($store, $u, 'type');

$redis->command('LPUSH', $key, 'a');
is(event($u, 'type'), $failed, 'a list');
is($store->connections(), 0, 'a list - the connection stays');
is($redis->command('LLEN', $key), 1, 'a list - is left alone');

# the answer to a commit makes no difference to who has sent the event

foreach my $reply ("-ERR\r\n", ":1\r\n", "\$3\r\nfoo\r\n") {
	my $id = 'commit-' . ++$ids;
	my $key = event_key($id);

	$from = $t->log_pos();
	$store->once(qr/^SET $key d:/, { reply => $reply });

	is(event($u, $id) . ', ' . event($u, $id),
		'200 PASSED MINE 1, 200 DUPLICATE already_delivered 0',
		'commit');

	came_up() if $reply !~ /foo/;
}

# surplus

$from = $t->log_pos();
$store->once(qr/ p:/, { append => "+OK\r\n" });

is(event($u, 'surplus'), '200 PASSED MINE 1', 'surplus');
like(went_down(), qr/fleet/, 'surplus - logged');
ok(came_up(), 'surplus - connected again');

###############################################################################

# an answer in pieces is one

$store->reset()->on(qr/./, { pieces => 1 });
$store->cut();
$from = $t->log_pos();

ok(came_up(), 'pieces - handshake');
is(event($u, 'pieces'), '200 PASSED MINE 1', 'pieces - ours');

$key = key_of($store, $u, 'pieces-done');
$redis->command('SET', $key, 'd:' . (time() + 100) . ':0', 'PX', 100000);
is(event($u, 'pieces-done'), '200 DUPLICATE already_delivered DONE 0',
	'pieces - done');

# one that ends anywhere is none, whether the connection ends there too

$store->reset();

foreach my $value (undef, 'd:' . (time() + 1000) . ':0',
	'p:0123456789abcdef:0000000000000001')
{
	my $length = defined $value ? length($value) + 7 : 5;
	my @told;

	foreach my $n (0 .. $length - 1) {
		my $id = 'cut-' . ++$ids;
		my $key = defined $value ? key_of($store, $u, $id) : undef;

		$redis->command('SET', $key, $value, 'PX', 100000) if $key;

		$from = $t->log_pos();
		$store->once(qr/ p:/, { cut => $n });
		push @told, event($u, $id);
		came_up() or die "not connected again\n";
	}

	is(join(', ', grep { $_ ne $failed } @told), '',
		'cut - ' . (defined $value ? substr $value, 0, 1 : 'null'));
	is(scalar @told, $length, 'cut - at each byte');
}

foreach my $n (0, 1, 4) {
	$from = $t->log_pos();
	$store->once(qr/ p:/, { cut => $n, hang => 1 });
	is(event($u, "waits-$n"), $failed, "and no more after $n bytes");
	came_up() or die "not connected again\n";
}

# one handshake that ends anywhere is none either

$store->reset();
$from = $t->log_pos();

foreach my $what (qr/^INFO/, qr/^PING/, qr/^SET \S+probe/, qr/^EVAL/) {
	$store->once($what, map { { cut => $_ } } 0, 1, 4);
}

$store->cut();

ok(came_up(), 'cut - handshake');
is(event($u, 'handshake'), '200 PASSED MINE 1', 'cut - after it');

###############################################################################

# the next claim is answered so

sub came_of_reply {
	my ($reply) = @_;

	$from = $t->log_pos();
	$store->once(qr/^SET \S+[0-9a-f] p:/, { reply => $reply });

	return event($u, 'answered-' . ++$ids);
}

sub went_down {
	return $t->wait_log(qr/\[error\] .*fleet/, from => $from);
}

sub came_up {
	return $t->wait_log(qr/\[notice\] .*fleet/, from => $from,
		timeout => 20);
}

###############################################################################
