#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for a redis-server that has troubles of its own: no memory, no
# replicas, no disk, a script that does not end, too many clients, data that
# is still being read.

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

use IO::Socket::UNIX;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy/);
my $redis = Test::Nginx::Redis->new(8379, 'enable-protected-configs' => 'yes',
	rdbcompression => 'no');

$t->plan(41);

my $store = Test::Nginx::Store->new(8380, 8379);

$t->write_file_expand('nginx.conf', fleet_conf());

my $u = upstream(8081);
my $from = $t->log_pos();

$t->run();
up() or die "no store\n";

my $new = '200 PASSED MINE 1';
my $failed = '200 PASSED store_unavailable FAILED 1';

###############################################################################

# no memory: claims fail, and the connection stays; what is in flight by then
# is freed, and what is accepted is told when there is memory

$store->reset();
$u->reset()->script('hang', 'hang');

my @c;

foreach my $id (qw/ accepted refused /) {
	push @c, event_request($id, send_only => 1);
	$u->wait_for(scalar @c);
}

set(maxmemory => 1);
$from = $t->log_pos();

$u->release(1, 200);
is(told($c[0]->response()), '200 PASSED MINE', 'memory - accepted');
ok($store->wait_for(qr/ d:/, 2), 'memory - told, and told again');
like($redis->command('GET', event_key('accepted')), qr/^p:/,
	'memory - which it cannot take');

$u->release(1, 500);
is(told($c[1]->response()), '500 PASSED MINE', 'memory - refused');
ok(gone('refused'), 'memory - freed');

is(event($u, 'memory'), $failed, 'memory - a claim');
is(event($u, 'memory'), '200 DUPLICATE already_delivered 0',
	'memory - known here');
is($store->connections(), 0, 'memory - the connection stays');
is(scalar errors(), 0, 'memory - not down');

# nor does it keep it down

$store->cut();
ok(up(), 'memory - up without');
is(event($u, 'without'), $failed, 'memory - no claim');

set(maxmemory => 0);
ok(done(qw/ accepted memory without /), 'memory - told in the end');
is(event($u, 'with'), $new, 'memory - goes on');

###############################################################################

# what it refuses to write for: it is down until it does

my $lost = $redis->dir() . '/lost';
mkdir $lost;

foreach my $case (
	[ 'NOREPLICAS', sub { set('min-replicas-to-write', 1) },
		sub { set('min-replicas-to-write', 0) } ],
	[ 'MISCONF', sub {
		set(save => '3600 1');
		set(dir => $lost);
		rmdir $lost;
		saved('err');
	}, sub {
		set(dir => $redis->dir());
		saved('ok');
		set(save => '');
	} ],
	[ 'BUSY', sub {
		set('busy-reply-threshold', 1);
		my $c = IO::Socket::UNIX->new(Peer => $redis->dir()
			. '/socket');
		$c->print("EVAL 'while true do end' 0\r\n");
		wait_until(sub { !eval { $redis->command('PING'); 1 } });
		push @c, $c;
	}, sub {
		$redis->command('SCRIPT', 'KILL');
	} ],
) {
	my ($name, $cause, $end) = @$case;

	$store->reset();
	$cause->();
	$from = $t->log_pos();

	is(event($u, $name), $failed, "$name - fails");
	is(event($u, "$name-down"), '200 PASSED store_unavailable DOWN 1',
		"$name - down");
	like((errors())[0], qr/is down: server \S+ replied "$name .*" to SET/,
		"$name - why");
	ok($store->wait_for(qr/^SET \S+probe/, 1), "$name - tried again");

	$end->();
	ok(up(), "$name - up again");
	ok(done($name, "$name-down"), "$name - told");
	is(event($u, "$name-then"), $new, "$name - goes on");
}

# too many clients

$from = $t->log_pos();
set(maxclients => 1);
$store->reset()->cut();

ok($t->wait_log(qr/is down.*max number of clients reached/, from => $from),
	'clients - too many');
set(maxclients => 100);
ok(up(), 'clients - up again');

# it reads its data, and takes its time

$redis->command('SET', "other-$_", 'x' x 1000) foreach 1 .. 20;
$redis->command('SAVE');
$redis->kill();
$from = $t->log_pos();
$redis->start(save => '3600 1', 'key-load-delay' => 100000,
	'loading-process-events-interval-bytes' => 1024);

ok($t->wait_log(qr/is down.*replied "LOADING/, from => $from), 'LOADING');
is(event($u, 'loading'), '200 PASSED store_unavailable DOWN 1',
	'LOADING - down');
ok(up(), 'LOADING - up again');
ok(done('loading'), 'LOADING - told');
is(event($u, 'loading-then'), $new, 'LOADING - goes on');

###############################################################################

sub set {
	my ($name, $value) = @_;
	$redis->command('CONFIG', 'SET', $name, $value);
}

# its file was written, or could not be

sub saved {
	my ($status) = @_;

	$redis->command('BGSAVE');

	wait_until(sub { $redis->command('INFO', 'persistence')
		=~ /^rdb_last_bgsave_status:$status\r$/m }) or die "no $status\n";
}

sub up {
	return $t->wait_log(qr/\[notice\] .*fleet.* is up/, from => $from,
		timeout => 20);
}

sub errors {
	return $t->lines(qr/\[error\](?!.*client).*fleet/, from => $from);
}

sub done {
	my (@ids) = @_;

	return wait_until(sub {
		!grep { (eval { $redis->command('GET', event_key($_)) } || '')
			!~ /^d:/ } @ids;
	});
}

sub gone {
	my ($id) = @_;

	return wait_until(sub {
		!defined $redis->command('GET', event_key($id))
	});
}

###############################################################################
