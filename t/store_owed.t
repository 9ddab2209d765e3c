#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for what the store has not acknowledged: it is sent again, until it is,
# and again when the store has lost it.

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
my $redis = Test::Nginx::Redis->new(8379, 'enable-debug-command' => 'yes');

$t->plan(65);

my $store = Test::Nginx::Store->new(8380, 8379);

my $state = $t->testdir() . '/state';
mkdir $state;

my %conf = (
	workers => 2,
	zone => "state=$state/events",
	locations => {
		'/lease' => 'webhook_dedup zone=events key=events lease=2s;',
		'/ttl' => 'webhook_dedup zone=events key=events ttl=2s;',
	},
);

$t->write_file_expand('nginx.conf', fleet_conf(%conf));

my $u = upstream(8081);

$t->run();
all_up();

###############################################################################

# what was accepted while the store was away is told to it when it is there

my $from = $t->log_pos();

$store->refuse()->cut();
$t->wait_log(qr/\[error\] .*fleet/, from => $from, count => 2);

foreach my $n (1 .. 300) {
	event($u, "away-$n") =~ /^200 PASSED store_unavailable (?:DOWN|FAILED) 1$/
		or die "not delivered\n";
}

# no more of it is under way at a time than is said

$store->reset()->on(qr/ d:/, 'hang');
$store->listen();
$store->wait_for(qr/ d:/, 249);
$store->cut();

my %sent;
$sent{$_->{conn}}++ foreach $store->commands(qr/ d:/);
my ($most) = sort { $b <=> $a } values %sent;

cmp_ok($most, '>=', 249, 'away - many at a time');
cmp_ok($most, '<=', 256, 'away - not all of them');

$store->reset();

ok(wait_until(sub { done() == 300 }), 'away - told');
is(values_other_than('d'), 0, 'away - and nothing else');
is(scalar(grep { !/ PX \d+$/ } texts(qr/ d:/)), 0, 'away - for their time');

my %owed;
$owed{$_->{args}[1]}++ foreach $store->commands(qr/ d:/);
is(scalar keys %owed, 300, 'away - each of them');

# once acknowledged, not any more: two seconds are two rounds

quiet('away');

###############################################################################

# a commit that is not answered is repeated until it is

foreach my $how (qw/ late close reset /) {
	$store->reset()->once(qr/ d:/, $how);

	is(event($u, "commit-$how"), '200 PASSED MINE 1', "commit $how");
	ok($store->wait_for(qr/ d:/, 2), "commit $how - again");
	is(event($u, "commit-$how"), '200 DUPLICATE already_delivered 0',
		"commit $how - known");

	my ($one, $two) = $store->commands(qr/ d:/);
	is($two->{args}[1] . $two->{args}[2], $one->{args}[1] . $one->{args}[2],
		"commit $how - the same");

	all_up();
}

quiet('commit');

# one that the store has no memory for

$store->reset()->once(qr/ d:/, { reply => "-OOM no\r\n" },
	{ reply => "-OOM no\r\n" });

is(event($u, 'oom'), '200 PASSED MINE 1', 'OOM');
ok($store->wait_for(qr/ d:/, 3), 'OOM - again');
is($store->connections(), 0, 'OOM - the connection stays');
quiet('OOM');

# one that it cannot take is given up

$store->reset()->once(qr/ d:/, { reply => "-WRONGTYPE no\r\n" });

is(event($u, 'type'), '200 PASSED MINE 1', 'WRONGTYPE');
$store->wait_for(qr/ d:/, 1);
quiet('WRONGTYPE');

# one whose time is over

$store->reset();
$from = $t->log_pos();
$store->refuse()->cut();
$t->wait_log(qr/\[error\] .*fleet/, from => $from, count => 2);

is(event($u, 'over', uri => '/ttl'), '200 PASSED store_unavailable DOWN 1',
	'over');
my $over = time() + 3;
wait_until(sub { time() > $over });
$from = $t->log_pos();
$store->listen();
all_up();
quiet('over');

###############################################################################

# a free that is not answered: this server takes the leftover over

foreach my $how (qw/ lost late close /) {
	$store->reset()->once(qr/^EVAL (?!.*probe)/s, $how);

	is(event($u, "free-$how", answer => 500), '500 PASSED MINE 1',
		"free $how");
	$store->wait_for(qr/^EVAL (?!.*probe)/s, 1);
	like(event($u, "free-$how"),
		qr/^200 PASSED (?:MINE|store_unavailable (?:DOWN|FAILED)) 1$/,
		"free $how - delivered again");
	$store->release();
	all_up();
}

# which is sent again: others wait for nothing

$store->reset()->once(qr/^EVAL (?!.*probe)/s, 'close');

is(event($u, 'freed', answer => 500), '500 PASSED MINE 1', 'free again');
$store->wait_for(qr/^EVAL (?!.*probe)/s, 1);
ok(wait_until(sub { !defined $redis->command('GET', event_key('freed')) }),
	'free again - in the store');
all_up();

# a leftover of this zone, as a claim whose reply was lost is one

my $key = key_of($store, $u, 'leftover');
my ($claim) = $store->commands(qr/^SET $key p:/);
(my $earlier = $claim->{args}[2]) =~ s/:\w+$/:00000000000000ff/;

$redis->command('SET', $key, $earlier, 'PX', 100000);
$store->reset();

is(event($u, 'leftover'), '200 PASSED MINE 1', 'leftover');

my @commands = map { $_->{text} =~ /^SET/ ? 'SET' : 'EVAL' }
	grep { $_->{text} =~ / \Q$key\E / } $store->commands();

is("@commands[0 .. 1]", 'SET EVAL', 'leftover - taken over at once');
ok(wait_until(sub { $redis->command('GET', $key) =~ /^d:/ }),
	'leftover - and done');

###############################################################################

# a worker that dies when it has told the zone: another one tells the store

$store->reset()->once(qr/ d:/, 'hang');

is(event($u, 'died'), '200 PASSED MINE 1', 'worker died');
$store->wait_for(qr/ d:/, 1);
$key = ($store->commands(qr/ d:/))[0]{args}[1];

kill 'KILL', $t->workers();

ok(wait_until(sub { ($redis->command('GET', $key) || '') =~ /^d:/ }),
	'worker died - told by another one');

# a reload

$store->reset()->once(qr/ d:/, 'hang');

is(event($u, 'reload'), '200 PASSED MINE 1', 'reload');
$store->wait_for(qr/ d:/, 1);
$key = ($store->commands(qr/ d:/))[0]{args}[1];

$t->reload();

ok(wait_until(sub { ($redis->command('GET', $key) || '') =~ /^d:/ }),
	'reload - told');

$store->reset();
quiet('reload');

###############################################################################

# a store that comes back empty is filled again

all_up();
quiet('all is told');

# that which was given up is told, too

my $n = done() + 1;

$redis->kill();
$redis->start();

ok(wait_until(sub { done() == $n }), 'restarted empty - refilled')
	or diag(done() . " of $n");
$store->reset();
quiet('restarted');

# one whose data was replaced by another one's

$redis->command('DEBUG', 'CHANGE-REPL-ID');
$redis->command('FLUSHALL');
$store->cut();
ok(wait_until(sub { done() == $n }), 'another history - refilled');

# the same one with its data: nothing to do

all_up();
$store->reset();
$from = $t->log_pos();
$store->cut();
$t->wait_log(qr/\[error\] .*fleet/, from => $from, count => 2);
all_up();
quiet('reconnected');

# one that does not say which one it is: each time

$redis->command('ACL', 'SETUSER', 'default', '-info');

foreach my $time ('', 'again and ') {
	$redis->command('FLUSHALL');
	$store->cut();
	ok(wait_until(sub { done() == $n }), "unknown - ${time}refilled");
	all_up();
}

$redis->command('ACL', 'SETUSER', 'default', '+info');
$store->cut();
all_up();
quiet('unknown');

# while events are under way: they are claimed again by what keeps them

$u->reset()->script('hang');

my $c = event_request('under way', uri => '/lease', send_only => 1);
$u->wait_for(1);

$redis->kill();
$redis->start();

ok(wait_until(sub { grep { /^p:/ } map { $redis->command('GET', $_) || '' }
	$redis->keys('webhook:fleet:*[0-9a-f]') }),
	'restarted empty - claimed again');

$u->release();
is(told($c->response()), '200 PASSED MINE', 'restarted empty - accepted');
ok(wait_until(sub { done() == $n + 1 }), 'restarted empty - all');

###############################################################################

# nginx is restarted: all that its file knows is owed

$t->stop();
$redis->command('FLUSHALL');
$t->run();

ok(wait_until(sub { done() == $n + 1 }), 'state file - told')
	or diag(done() . ' of ' . ($n + 1));

# a store that is added later, and another prefix

$t->write_file_expand('nginx.conf', fleet_conf(%conf, store =>
	'server 127.0.0.1:8380; prefix other:;'));
$t->reload();

ok(wait_until(sub { $redis->keys('other:*') == $n + 1 }),
	'another prefix - told');

# what old processes tell the one they know is still owed to the new one

$u->reset()->script('hang');
$c = event_request('left', send_only => 1);
$u->wait_for(1);

$t->write_file_expand('nginx.conf', fleet_conf(%conf, store =>
	'server 127.0.0.1:8380; prefix third:;'));
$store->reset();
$t->reload();

ok(wait_until(sub { $redis->keys('third:*') == $n + 1 }),
	'left - the new one is told');

$u->release();
is(told($c->response()), '200 PASSED MINE', 'left - accepted');
ok(wait_until(sub { $redis->keys('other:*') == $n + 2 }),
	'left - the old one is told');
ok(wait_until(sub { $redis->keys('third:*') == $n + 2 }),
	'left - and the new one');
$c->close();
$store->reset();
quiet('left');

$t->write_file_expand('nginx.conf', fleet_conf(%conf)
	=~ s/ store=fleet / /r);
$redis->command('FLUSHALL');
$t->reload();

is(event($u, 'none'), '200 PASSED 1', 'no store');
is(event($u, 'leftover'), '200 DUPLICATE already_delivered 0',
	'no store - known');

$t->write_file_expand('nginx.conf', fleet_conf(%conf));
$t->reload();

ok(wait_until(sub { done() == $n + 3 }), 'store added - told')
	or diag(done() . ' of ' . ($n + 3));

###############################################################################

# no worker's last line says that it is down

sub all_up {
	return wait_until(sub {
		my %last;

		foreach ($t->lines(qr/\[(?:notice|error)\] .*"fleet" is/)) {
			my ($level, $pid) = /\[(\w+)\] (\d+)#/;
			$last{$pid} = $level;
		}

		return !grep { ($last{$_} || '') ne 'notice' } $t->workers();
	});
}

sub done {
	return $redis->keys('webhook:fleet:' . '[0-9a-f]' x 32)
		- values_other_than('d');
}

sub values_other_than {
	my ($type) = @_;

	return scalar grep { !/^$type:/ }
		map { my $v = $redis->command('GET', $_); defined $v ? $v : "$type:" }
		$redis->keys('webhook:fleet:' . '[0-9a-f]' x 32);
}

sub texts {
	return map { $_->{text} } $store->commands(@_);
}

# all is told: what is owed is sent again each second

sub quiet {
	my ($name) = @_;

	my $last = -1;

	wait_until(sub {
		my $n = $store->count(qr/ d:/);
		my $till = time() + 1.2;

		wait_until(sub { time() > $till });
		$last = $store->count(qr/ d:/) - $n;

		return $last == 0;
	});

	is($last, 0, "$name - and not again");
}

###############################################################################
