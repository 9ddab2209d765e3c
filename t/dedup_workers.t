#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for deduplication over several worker processes: one of many identical
# deliveries reaches the upstream, a worker that dies leaves a lease that runs
# out, and the zone lives through reloads.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $secret = 'secret-of-nextpay-0123456789';
my $start = 1764000000;

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faketime()
	->allow(qr/\[alert\] .* exited on signal 9/)->plan(61);

my $conf = <<"EOF";

%%TEST_GLOBALS%%

worker_processes  4;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    log_format  workers  '"\$request_uri" \$status \$pid';
    access_log  %%TESTDIR%%/workers.log  workers;

    webhook_dedup_zone      zone=events:1m;
    webhook_in_flight_wait  0;

    server {
        listen       127.0.0.1:8080 reuseport;
        server_name  localhost;

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /hook {
            webhook_verify  nextpay;
            webhook_secret  $secret;
            webhook_dedup   zone=events;

            proxy_set_header  X-Pid  \$pid;
            proxy_pass        http://127.0.0.1:8081;
        }

        location /short {
            webhook_verify  nextpay;
            webhook_secret  $secret;
            webhook_dedup   zone=events lease=2s;

            proxy_pass  http://127.0.0.1:8081;
        }
    }
}

EOF

$t->write_file_expand('nginx.conf', $conf);

my $u = upstream(8081);

$t->clock($start)->run();

###############################################################################

# many at once: all but the last byte is there before the first is complete

my $count = 50;

$u->script('hang');

my @clients = at_once('many', $count);
my @answers = responses($count - 1, \@clients);

$u->wait_for(1);

is(summary(@answers), '49 x 503 retry 5', 'at once - in flight');
is($u->count(), 1, 'at once - one is proxied');
is($u->last()->{body}, '{"id":"many"}', 'at once - as sent');
is($u->release(), 1, 'at once - one hangs');
is(summary(responses(1, \@clients)), '1 x 200', 'at once - it is answered');

@clients = at_once('many', $count);

is(summary(responses($count, \@clients)), '50 x 200 duplicate',
	'at once - then duplicates');
is($u->count(), 1, 'at once - none is proxied');

@clients = ();

$t->wait_log(qr!^"/hook/many"!, name => 'workers.log', count => 2 * $count);

my %pids = map { /(\d+)$/ ? ($1 => 1) : () }
	$t->lines(qr!^"/hook/many"!, name => 'workers.log');

cmp_ok(scalar keys %pids, '>', 1, 'at once - several workers');

# at once, and the upstream fails: freed for one, not for two

$u->reset()->script('hang', 'hang');

@clients = at_once('fails', 20);
responses(19, \@clients);
$u->wait_for(1);
$u->release(1, 500);

is(summary(responses(1, \@clients)), '1 x 500', 'at once - upstream fails');

@clients = at_once('fails', 20);

is(summary(responses(19, \@clients)), '19 x 503 retry 5',
	'at once - retried');
$u->wait_for(2);
is($u->count(), 2, 'at once - one is proxied again');

$u->release();
responses(1, \@clients);

###############################################################################

# a worker dies

$u->reset()->script('hang');

my $c = sent('killed', send_only => 1);
$u->wait_for(1);

my ($pid) = Test::Nginx::Upstream::header($u->last(), 'X-Pid');

is(sent('killed'), '503 retry 5', 'killed - in flight');

kill 'KILL', $pid;

ok($u->wait_gone(1), 'killed - gone');
is($c->response(), undef, 'killed - no answer');
ok(wait_until(sub {
	my @pids = $t->workers();
	return @pids == 4 && !grep { $_ == $pid } @pids;
}), 'killed - replaced');

is(sent('killed'), '503 retry 5', 'killed - still in flight');
is(sent('killed', forged => 1), '401', 'killed - forged');
is(sent('killed-other'), '200 proxied', 'killed - other event');

$t->clock($start + 29);

is(sent('killed'), '503 retry 5', 'killed - before the end of the lease');

$t->clock($start + 30);

is(sent('killed'), '200 proxied', 'killed - at the end of the lease');
is(sent('killed'), '200 duplicate', 'killed - done');
is(sent('many'), '200 duplicate', 'killed - others are still known');

###############################################################################

# Taken over: the clock is moved at once by more than a lease.  That the first
# one has failed is not about the second one's claim, that it was accepted is
# a fact, and stays one if the second one fails.

foreach my $case ([ 200, 500 ], [ 500, 500 ], [ 500, 200 ], [ 200, 200 ]) {
	my ($first, $second) = @$case;

	my $name = "taken over, $first and $second";
	my $id = "over-$first-$second";
	my $now = $t->clock();

	$u->reset()->script('hang', 'hang');

	my $c1 = sent($id, send_only => 1);
	$u->wait_for(1);

	$t->clock($now + 31);

	my $c2 = sent($id, send_only => 1);
	ok($u->wait_for(2), "$name - delivered again");

	$u->release(1, $first);

	is(join(', ', $c1->response()->{status}, sent($id)),
		$first == 200 ? '200, 200 duplicate' : '500, 503 retry 5',
		"$name - late finisher");

	$u->release(1, $second);

	is(join(', ', $c2->response()->{status}, sent($id), sent($id)),
		$first == 200 || $second == 200
		? "$second, 200 duplicate, 200 duplicate"
		: '500, 200 proxied, 200 duplicate', "$name - owner");
}

# nor does it matter that it could not be renewed, or that the key was free

$u->reset()->script('hang', 500);

my $now = $t->clock();
my $from = $t->log_pos();

$c = sent('renewed', uri => '/short', send_only => 1);
$u->wait_for(1);

$t->clock($now + 31);

is(sent('renewed', uri => '/short'), '500 proxied', 'renewed - taken over');
ok($t->wait_log(qr/claim could not be renewed/, from => $from),
	'renewed - not any more');

$u->release();

is($c->response()->{status} . ', ' . sent('renewed', uri => '/short'),
	'200, 200 duplicate', 'renewed - accepted');
ok($t->wait_log(qr/\[warn\] .*accepted too late.*remembered/, from => $from),
	'renewed - told');

# a late finisher does not forget what was done meanwhile

$u->reset()->script('hang');

$now = $t->clock();

$c = sent('late', send_only => 1);
$u->wait_for(1);

$t->clock($now + 31);

is(sent('late'), '200 proxied', 'late - delivered again');

$u->release(1, 500);

is($c->response()->{status} . ', ' . sent('late'), '500, 200 duplicate',
	'late - stays done');

###############################################################################

# A worker dies, and the clock is set back: its claim ends in a time that no
# lease could reach.

$u->reset()->script('hang');

$c = sent('back', send_only => 1);
$u->wait_for(1);

($pid) = Test::Nginx::Upstream::header($u->last(), 'X-Pid');
kill 'KILL', $pid;

ok($u->wait_gone(1), 'clock set back - gone');

$now = $t->clock();

$t->clock($now - 60);

is(sent('back'), '503 retry 5', 'clock set back a little - in flight');

$t->clock($now - 43200);

is(sent('back', forged => 1), '401', 'clock set back - forged');
is(sent('back') . ', ' . sent('back'), '200 proxied, 200 duplicate',
	'clock set back - lease is over');
is(sent('many'), '200 duplicate', 'clock set back - done stays done');

$t->clock($now);

is(sent('back'), '200 duplicate', 'clock set right - done');

###############################################################################

# reload, and what was in flight is finished by an old worker

$u->reset()->script('hang', 'hang', 'hang');

my %c = map { $_ => sent("reload-$_", send_only => 1) } 0 .. 2;
$u->wait_for(3);

ok($t->reload(), 'reload');

is(sent('many'), '200 duplicate', 'reload - done');
is(join(', ', map { sent("reload-$_") } 0 .. 2),
	join(', ', ('503 retry 5') x 3), 'reload - in flight');
is(sent('reload-new'), '200 proxied', 'reload - new');

$u->release(3);

is(join(', ', map { $c{$_}->response()->{status} } 0 .. 2), '200, 200, 200',
	'reload - old workers answer');
is(join(', ', map { sent("reload-$_") } 0 .. 2),
	join(', ', ('200 duplicate') x 3), 'reload - then done');

# with a zone of another size

foreach my $size (qw/ 3m 512k /) {
	$u->reset()->script('hang');

	my $c = sent("size-$size", send_only => 1);
	$u->wait_for(1);
	sent("before-$size");

	(my $other = $conf) =~ s/zone=events:1m/zone=events:$size/;
	$t->write_file_expand('nginx.conf', $other);

	ok($t->reload(), "reload to $size");

	is(join(', ', map { sent($_) } 'many', 'late', "before-$size"),
		join(', ', ('200 duplicate') x 3), "reload to $size - done");
	is(sent("size-$size"), '503 retry 5', "reload to $size - in flight");

	$u->release();
	$c->response();
}

# A claim of before has nobody in the new zone who ends it, and runs out.

$t->clock($t->clock() + 31);

is(sent('size-512k'), '200 proxied', 'other size - lease ends');
is(sent('many'), '200 duplicate', 'other size - done stays done');

###############################################################################

# a restart forgets

$t->stop();
$t->run();

is(sent('many') . ', ' . sent('many'), '200 proxied, 200 duplicate',
	'restart');

###############################################################################

# What became of a delivery: the answer's status, "proxied" if it reached the
# upstream.  What is forged has the right id, and one byte too many.

sub sent {
	my ($id, %opts) = @_;

	my $body = "{\"id\":\"$id\"}";

	my @event = (%opts, uri => ($opts{uri} || '/hook') . "/$id",
		body => $opts{forged} ? "$body " : $body,
		headers => [ sign('nextpay', $secret, $body) ]);

	return request(@event) if $opts{send_only};

	return came_of($u, sub { request(@event) });
}

sub at_once {
	my ($id, $n) = @_;

	my $body = "{\"id\":\"$id\"}";

	my @c = map { request(uri => "/hook/$id", send_only => 1,
		body => substr($body, 0, -1), length => length $body,
		headers => [ sign('nextpay', $secret, $body) ]) } 1 .. $n;

	$_->send(substr($body, -1)) foreach @c;

	return @c;
}

###############################################################################
