#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the harness of stores: what stands between nginx and a redis-server
# passes on what it is not told about, and does what it is told.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Redis;
use Test::Nginx::Store;
use Test::Nginx::Webhook;

use IO::Select;
use Time::HiRes qw/ time /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->no_reload_check();
my $redis = Test::Nginx::Redis->new(8379);

$t->plan(52);

my $store = Test::Nginx::Store->new(8380, 8379);
my ($c, $time);
my $in = '';

###############################################################################

answers([ 'PING' ], "+PONG\r\n", 'passed on');
answers([ 'PING', 'PING', 'SET a b', 'GET a' ],
	"+PONG\r\n+PONG\r\n+OK\r\n\$1\r\nb\r\n", 'several');
answers([ 'MGET a b' ], "*2\r\n\$1\r\nb\r\n\$-1\r\n", 'a list');
answers([ 'EVAL return{1,{2,3}} 0' ], "*2\r\n:1\r\n*2\r\n:2\r\n:3\r\n",
	'a list of lists');
is($redis->command('GET', 'a'), 'b', 'executed');

my @commands = $store->commands();
is(join(', ', map { $_->{text} } @commands), 'PING, PING, PING, SET a b, '
	. 'GET a, MGET a b, EVAL return{1,{2,3}} 0', 'recorded');
is($commands[4]{reply}, "\$1\r\nb\r\n", 'recorded - answer');
is($store->count(qr/^GET/), 1, 'counted');

# in any pieces

$c->send(split //, "*2\r\n\$3\r\nGET\r\n\$1\r\na\r\n");
answers([], "\$1\r\nb\r\n", 'in pieces');
is($store->count(qr/^GET a$/), 2, 'in pieces - one command');

# nothing that is a command

$c->send("GET / HTTP/1.0\r\n\r\n");
ok($store->wait_for(qr/^GARBAGE GET/, 1), 'garbage');
$store->cut();
answers([], 'the end', 'cut');

# one each; and the last stays

$store->reset()->once(qr/^PING/, { reply => ":1\r\n" }, { reply => ":2\r\n" });
answers([ ('PING') x 3 ], ":1\r\n:2\r\n+PONG\r\n", 'once');
$store->on(qr/^PING/, { reply => ":1\r\n" }, { reply => ":2\r\n" });
answers([ ('PING') x 3 ], ":1\r\n:2\r\n:2\r\n", 'on');
$store->on(qr/^PING/);
answers([ 'PING' ], "+PONG\r\n", 'on - nothing');

# executed or not

foreach my $case (
	[ 'reply', { reply => "+X\r\n" }, "+X\r\n", 0 ],
	[ 'reply of what is executed', { reply => "+X\r\n", executed => 1 },
		"+X\r\n", 1 ],
	[ 'close', 'close', 'the end', 0 ],
	[ 'reset', 'reset', 'the end', 0 ],
	[ 'late', 'late', 'the end', 1 ],
	[ 'cut', { cut => 2 }, ':1the end', 1 ],
	[ 'append', { append => '!' }, ":1\r\n!", 1 ],
	[ 'pieces', { pieces => 1 }, ":1\r\n", 1 ],
	[ 'half_close', { half_close => 1 }, ":1\r\nthe end", 1 ])
{
	my ($name, $behaviour, $answer, $executed) = @$case;

	$redis->command('DEL', 'n');
	$store->once(qr/^INCR/, $behaviour);

	answers([ 'INCR n' ], $answer, $name);
	is($redis->command('GET', 'n') || 0, $executed, "$name - "
		. ($executed ? '' : 'not ') . 'executed');
}

# not yet

foreach my $how ('hang', 'lost') {
	$redis->command('DEL', 'n');
	$store->once(qr/^INCR/, $how);

	answers([ 'INCR n' ], '', "$how - no answer");
	ok(!$c->closed(0.2), "$how - it is waited for");
	is($redis->command('GET', 'n') || 0, $how eq 'hang' ? 0 : 1,
		"$how - " . ($how eq 'hang' ? 'not ' : '') . 'executed');
	is($store->release(), 1, "$how - released");
	answers([], $how eq 'hang' ? "-ERR not executed\r\n" : ":1\r\n",
		"$how - then");
}

$store->once(qr/^PING/, { delay => 0.3 });
$time = time();
answers([ 'PING' ], "+PONG\r\n", 'delay');
cmp_ok(time() - $time, '>=', 0.29, 'delay - takes its time');

# all of it stands still, or is away

$store->stall(1);
answers([ 'PING' ], '', 'stall');
ok(!$c->closed(0.2), 'stall - no answer');
$store->stall(0);
answers([], "+PONG\r\n", 'stall - then');

$store->refuse();
answers([ 'PING' ], "+PONG\r\n", 'refuse - what is there stays');
ok(!eval { Test::Nginx::Client->new(port => 8380) }, 'refuse - no other');
$store->listen();
ok(eval { Test::Nginx::Client->new(port => 8380) }, 'listen');

$redis->stop();
answers([], 'the end', 'ends with redis-server');

###############################################################################

# as many bytes as are expected, and perhaps the end

sub answers {
	my ($commands, $answer, $name) = @_;

	if (@$commands and (!$c or !$c->socket())) {
		$c = Test::Nginx::Client->new(port => 8380);
		$in = '';
	}

	$c->send(join '', map { my @args = split / /; '*' . @args . "\r\n"
		. join '', map { '$' . length($_) . "\r\n$_\r\n" } @args }
		@$commands) if @$commands;

	my $end = $answer =~ s/the end$//;
	my $socket = $c->socket();
	my $ended;

	while (length $in < length $answer or $end and !$ended) {
		IO::Select->new($socket)->can_read(10) or last;
		$ended = !sysread($socket, $in, 65536, length $in);
		last if $ended;
	}

	is(substr($in, 0, length $answer, '') . ($ended ? 'the end' : ''),
		$answer . ($end ? 'the end' : ''), $name);

	$c->close() if $ended;
}

###############################################################################
