#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for what the monitor tells of stores: whether they can be asked, since
# when and why not, and each of their counters, in all formats.

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

use JSON::PP qw/ decode_json /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy/)
	->allow(qr/exited on signal 9/);
my $redis = Test::Nginx::Redis->new(8379);

$t->plan(81);

my $store = Test::Nginx::Store->new(8380, 8379);

my $dedup = 'webhook_dedup zone=events key=events ttl=1h';

my $monitor = <<'EOF_';
    server {
        listen  127.0.0.1:8088;

        location = /webhooks {
            webhook_monitor;
        }
    }
EOF_

my %conf = (
	http => <<'EOF_' . $monitor,
    webhook_store  direct {
        server  127.0.0.1:8379;
        prefix  direct:;
    }

    webhook_dedup_zone  zone=small:32k store=direct;
    webhook_dedup_zone  zone=alone:32k;
EOF_
	locations => {
		'/reject' => "$dedup on_error=reject;",
		'/direct' => 'webhook_dedup zone=small key=events;',
	},
);

$t->write_file_expand('nginx.conf', fleet_conf(%conf));

my $u = upstream(8081);

$t->run();

###############################################################################

# connected

ok(wait_until(sub { up('fleet') == 1 && up('direct') == 1 }), 'up');

is(join(' ', map { metric("store_${_}_total", store => 'fleet') }
	qw/ operations connects disconnects timeouts errors local rejected
	sent_again taken_over overtaken lost /), '0 1 0 0 0 0 0 0 0 0 0',
	'from the start');
is(metric('store_owed', zone => 'events'), 0, 'from the start - nothing owed');
is(metric('store_owed', zone => 'alone'), undef, 'a zone without a store');

my %m = metrics();
is(scalar(grep { /^store_.*alone/ } keys %m), 0, 'nothing of it');
is(scalar(grep { /^store_operations_total\{store="fleet",/ } keys %m), 5,
	'each answer');

my $s = of('events');

is($s->{store}, 'fleet', 'JSON - name');
is($s->{up}, JSON::PP::true, 'JSON - up');
is_deeply($s->{processes}, { up => 1, down => 0 }, 'JSON - processes');
cmp_ok(abs($s->{since} - time()), '<', 60, 'JSON - since');
is($s->{error}, undef, 'JSON - no error');
is($s->{failed}, undef, 'JSON - and no time of it');
is(of('alone'), undef, 'JSON - a zone without a store');

like(page(), qr/<section id="fleet">/, 'page - stores');
like(page(), qr/<th scope="row">fleet<\/th><td data-l="State">up for \d+ s</,
	'page - up');
unlike(page(), qr/<b>store /, 'page - nothing is wrong');

###############################################################################

# by its answers

moved('mine', sub { event($u, 'new') }, '200 PASSED MINE 1',
	operations_mine => 1);

my $key = key_of($store, $u, 'done');

$redis->command('SET', $key, 'd:' . (time() + 100) . ':0', 'PX', 100000);
moved('done', sub { event($u, 'done') },
	'200 DUPLICATE already_delivered DONE 0', operations_done => 1);

$key = key_of($store, $u, 'busy');
$redis->command('SET', $key, 'p:0123456789abcdef:0000000000000001', 'PX',
	100000);
moved('busy', sub { event($u, 'busy') }, '503 IN_FLIGHT lease_held BUSY 0',
	operations_busy => 1);

# what the zone knows is no operation

moved('known', sub { event($u, 'new') }, '200 DUPLICATE already_delivered 0');

# errors that leave the connection

$store->reset()->once(qr/ p:/, { reply => "-WRONGTYPE no \"<b>\"\r\n" });
moved('failed', sub { event($u, 'failed') },
	'200 PASSED store_unavailable FAILED 1',
	operations_failed => 1, errors => 1, local => 1);

like(of('events')->{error},
	qr/^server 127\.0\.0\.1:\d+ replied "WRONGTYPE no "<b>"" to SET$/,
	'failed - in words');
like(page(), qr/WRONGTYPE no &#?\w+;&lt;b&gt;/, 'failed - on the page');
is(up('fleet'), 1, 'failed - still up');

$store->reset()->once(qr/ p:/, { reply => "-OOM no\r\n" });
moved('rejected', sub { event($u, 'rejected', uri => '/reject') },
	'503 UNAVAILABLE store_unavailable FAILED 0',
	operations_failed => 1, errors => 1, rejected => 1);

like(page(), qr!<li><b>\S*/reject</b> answered 503 to 1 requests: the store could not be asked\.!,
	'rejected - on the page');
unlike(page(), qr/<\/b> answered 503 to \d+ requests: a fault/,
	'rejected - no fault of this server');

# a leftover of this zone

$key = key_of($store, $u, 'leftover');
my ($claim) = $store->commands(qr/^SET $key p:/);
(my $earlier = $claim->{args}[2]) =~ s/:\w+$/:00000000000000ff/;

$redis->command('SET', $key, $earlier, 'PX', 100000);
moved('taken over', sub { event($u, 'leftover') }, '200 PASSED MINE 1',
	operations_mine => 1, taken_over => 1);

# a claim of another server by the time of the outcome

moved('overtaken', sub {
	$u->reset()->script('hang');

	my $c = event_request('overtaken', send_only => 1);

	$u->wait_for(1);
	$redis->command('SET', event_key('overtaken'),
		'p:0123456789abcdef:0000000000000001', 'PX', 100000);
	$u->release();

	return told($c->response());
}, '200 PASSED MINE', operations_mine => 1, overtaken => 1);

# no answer

$store->reset()->once(qr/ p:/, 'lost');
moved('timeout', sub { event($u, 'timeout') },
	'200 PASSED store_unavailable FAILED 1', operations_failed => 1,
	local => 1, timeouts => 1, disconnects => 1, connects => 1,
	sent_again => 1);
like(of('events')->{error},
	qr/^server 127\.0\.0\.1:\d+ did not answer in time \(110: .*\)$/,
	'timeout - in words');

# what is no answer at all

$store->reset()->once(qr/ p:/, { reply => "?\r\n" });
moved('garbage', sub { event($u, 'garbage') },
	'200 PASSED store_unavailable FAILED 1', operations_failed => 1,
	local => 1, errors => 1, disconnects => 1, connects => 1,
	sent_again => 1);
like(of('events')->{error}, qr/sent no reply of Redis$/,
	'garbage - in words');

###############################################################################

# the server is stopped, and started again

my $since = of('small')->{since};

$redis->stop();

ok(wait_until(sub { up('direct') == 0 }), 'stopped - down');

$s = of('small');
is($s->{up}, JSON::PP::false, 'stopped - JSON');
is_deeply($s->{processes}, { up => 0, down => 1 }, 'stopped - processes');
cmp_ok($s->{since}, '>=', $since, 'stopped - since');
ok(wait_until(sub { (of('small')->{error} || '') =~ qr/^server
	\s127\.0\.0\.1:\d+\scould\snot\sbe\sconnected\sto\s\(111:/x }),
	'stopped - why') or diag(of('small')->{error});
like(page(), qr/<li><b>store direct<\/b> cannot be asked, for \d+ s: server 127\.0\.0\.1:\d+ could not be connected to \(111: [\w ]+\)\./,
	'stopped - first on the page');
like(page(), qr/direct<\/th><td data-l="State">down for \d/,
	'stopped - on the page');

$since = of('small')->{since};

my $before = metric('store_operations_total', store => 'direct',
	result => 'down');

is(event($u, 'stopped', uri => '/direct'),
	'200 PASSED store_unavailable DOWN 1', 'stopped - delivered');
is(metric('store_operations_total', store => 'direct', result => 'down'),
	$before + 1, 'stopped - counted');
is(metric('store_local_total', store => 'direct'), 1,
	'stopped - on_error=local');
is(metric('store_owed', zone => 'small'), 1, 'stopped - owed');
is(of('small')->{since}, $since, 'stopped - no other time by another try');

$redis->start();

ok(wait_until(sub { up('direct') == 1 }), 'started - up');
ok(wait_until(sub { metric('store_owed', zone => 'small') == 0 }),
	'started - nothing is owed');
is(metric('store_sent_again_total', store => 'direct'), 1,
	'started - it was told');
is(join(' ', map { metric("store_${_}_total", store => 'direct') }
	qw/ connects disconnects /), '2 1', 'started - connections');
unlike(page(), qr/<b>store direct/, 'started - nothing is wrong');
like(page(), qr/direct<\/th><td data-l="State">up for .*could not be connected to/,
	'started - what was the matter');

# owed, and no room to keep it

$redis->stop();
wait_until(sub { up('direct') == 0 });

my $n = 0;
my $slots = metric('dedup_slots', zone => 'small');

event($u, 'full-' . ++$n, uri => '/direct') while $n < $slots * 2
	&& !($n % 50 == 0 && metric('store_lost_total', store => 'direct'));

cmp_ok(metric('store_lost_total', store => 'direct'), '>', 0, 'lost');
like(page(), qr/<b>store direct<\/b> was not told of \d+ accepted events: the zone had no room to keep them\./,
	'lost - on the page');

$t->stop();
$redis->start();

###############################################################################

# several processes

$t->write_file_expand('nginx.conf', fleet_conf(workers => 2,
	http => $monitor));
$t->run();

ok(processes(2, 0), 'two - up');
is(up('fleet'), 1, 'two - all of them');

$store->reset()->refuse()->once(qr/ p:/, 'close');
event($u, 'two');

ok(processes(1, 1), 'one of two');
is(up('fleet'), 0, 'one of two - not all of them');
like(page(), qr/<b>store fleet<\/b> cannot be asked by 1 of 2 worker processes, for \d/,
	'one of two - on the page');

$store->listen();
ok(processes(2, 0), 'two again');
is(up('fleet'), 1, 'two again - up');

# one that is killed

my ($killed) = $t->workers();

kill 'KILL', $killed;
wait_until(sub { !grep { $_ == $killed } $t->workers() });
wait_until(sub { $t->workers() == 2 });
ok(processes(2, 0), 'killed');

# old ones do not count, whatever they are at

$u->reset()->script('hang');

my $c = event_request('old', send_only => 1);

$u->wait_for(1);

my @old = $t->workers();

$t->reload();
ok(processes(2, 0), 'reload');
cmp_ok(scalar(grep { kill 0, $_ } @old), '>=', 1, 'reload - an old one is at work');

$u->release();
is(told($c->response()), '200 PASSED MINE', 'reload - which ends');
$c->close();
wait_until(sub { !grep { kill 0, $_ } @old });
ok(processes(2, 0), 'reload - without it');

# nor does it matter what an old one has to say of an old store

$t->stop();
$t->write_file_expand('nginx.conf', fleet_conf(http => $monitor));
$t->run();
processes(1, 0);

$u->reset()->script('hang');
$c = event_request('old store', send_only => 1);
$u->wait_for(1);

$t->write_file_expand('nginx.conf', fleet_conf(http => $monitor,
	store => 'server 127.0.0.1:8379;'));
$t->reload();
processes(1, 0);

my $from = $t->log_pos();

$store->refuse()->cut();
ok($t->wait_log(qr/\[error\].*fleet.*is down/, from => $from),
	'old store - is down');
is(up('fleet'), 1, 'old store - the new one is up');
is(of('events')->{error}, undef, 'old store - nothing is said of it');

$u->release();
is(told($c->response()), '200 PASSED MINE', 'old store - the old one ends');
$c->close();

# without a store

$t->write_file_expand('nginx.conf', fleet_conf(http => $monitor)
	=~ s/ store=fleet / /r);
$t->reload();
wait_until(sub { !defined of('events') });

%m = metrics();
is(scalar(grep { /^store_/ } keys %m), 0, 'no store');
like(page(), qr/<section id="fleet" hidden>/, 'no store - page');

###############################################################################

# what the counters of the store behind the proxy are moved by

sub moved {
	my ($name, $code, $told, %by) = @_;

	my %was = counters();

	is($code->(), $told, $name);

	$was{$_} += $by{$_} foreach keys %by;

	# which the end of a request may come after

	ok(wait_until(sub { settled() && same({ counters() }, \%was) }),
		"$name - counted") or is_deeply({ counters() }, \%was, $name);
}

sub settled {
	return up('fleet') == 1 && metric('store_owed', zone => 'events') == 0;
}

sub same {
	my ($one, $two) = @_;
	return !grep { $one->{$_} != $two->{$_} } keys %$two;
}

sub counters {
	my %metrics = metrics();

	return map { /^store_(\w+)_total\{store="fleet"(?:,result="(\w+)")?\}$/
		? ($1 . (defined $2 ? "_$2" : '') => $metrics{$_}) : () }
		keys %metrics;
}

sub up {
	my ($name) = @_;
	return metric('store_up', store => $name);
}

sub of {
	my ($zone) = @_;

	my $d = decode_json(monitor('format=json')->{body});

	return (grep { $_->{zone} eq $zone } @{$d->{zones}})[0]{store};
}

sub processes {
	my ($up, $down) = @_;

	return wait_until(sub {
		my $p = of('events')->{processes};
		return $p->{up} == $up && $p->{down} == $down;
	});
}

sub page {
	return monitor('format=html')->{body};
}

###############################################################################
