#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for deliveries that wait: while the first delivery of an event is with
# the upstream, others are held for its outcome, for a time, and up to a
# number.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use Time::HiRes qw/ time /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $secret = 'secret-of-nextpay-0123456789';
my $start = 1764000000;

# more connections at once than a process may usually have

my $max = 1024;
my $files = `sh -c 'ulimit -n'`;

if ($files =~ /^\d+$/ and $files < $max + 500 and !$ENV{TEST_NGINX_FILES}) {
	$ENV{TEST_NGINX_FILES} = 1;

	exec('sh', '-c', 'ulimit -n 4096 2>/dev/null; exec "$@"', 'sh', $^X,
		"$FindBin::Bin/$FindBin::Script");
}

my $held;

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faketime()
	->allow(qr/\[alert\] .* exited on signal 9/)->plan(81);

my $conf = <<"EOF";

%%TEST_GLOBALS%%

worker_processes  4;

events {
    worker_connections  4096;
}

http {
    %%TEST_GLOBALS_HTTP%%

    log_format  waits  '"\$http_x_case" \$status "\$webhook_status" '
                       '"\$webhook_reason" \$request_time \$pid';
    access_log  %%TESTDIR%%/waits.log  waits;

    webhook_dedup_zone  zone=events:1m;

    server {
        listen       127.0.0.1:8080 reuseport;
        server_name  localhost;

        webhook_verify  nextpay;
        webhook_secret  $secret;
        webhook_dedup   zone=events key=events;

        webhook_in_flight_wait  60s;

        proxy_set_header  X-Pid  \$pid;

        location / {
            webhook_verify  off;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /hook {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /short {
            webhook_in_flight_wait  300ms;
            proxy_pass              http://127.0.0.1:8081;
        }

        location /zero {
            webhook_in_flight_wait  0;
            proxy_pass              http://127.0.0.1:8081;
        }

        location /status {
            webhook_in_flight_wait    300ms;
            webhook_in_flight_status  429;
            webhook_duplicate_status  202;
            proxy_pass                http://127.0.0.1:8081;
        }

        location /dry {
            webhook_dry_run  on;
            proxy_pass       http://127.0.0.1:8081;
        }
    }

    server {
        listen       127.0.0.1:8082;
        server_name  localhost;

        location /default {
            webhook_verify  nextpay;
            webhook_secret  $secret;
            webhook_dedup   zone=events key=events;
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}

EOF

$t->write_file_expand('nginx.conf', $conf);

my $u = upstream(8081);

$t->clock($start)->run();

###############################################################################

# held, and then what the first one has come to

my $first = first('accepted');
my $c = held('accepted');

is($u->count(), 1, 'accepted - one is proxied');
ok(!$c->closed(0), 'accepted - held');

$u->release();

is(verdict($first), '200', 'accepted - first');
is(verdict($c), '200 duplicate', 'accepted - second');
is($u->count(), 1, 'accepted - no other');
is(logged('accepted-held'), '200 "DUPLICATE" "already_delivered"',
	'accepted - variables');

# the connection goes on

is(verdict(sent('accepted', client => $c)), '200 duplicate',
	'accepted - keepalive');

# no matter which worker has which

$first = first('workers');
my @c = map { held('workers') } 1 .. 40;

$u->release();

is(verdict($first), '200', 'workers - first');
is(summary(responses(40, \@c)), '40 x 200 duplicate', 'workers - others');
is($u->count(), 1, 'workers - one is proxied');

$t->wait_log(qr/^"workers-held" /, name => 'waits.log', count => 40);

my %pids = map { /(\d+)$/ ? ($1 => 1) : () }
	$t->lines(qr/^"workers-held" /, name => 'waits.log');

cmp_ok(scalar keys %pids, '>', 1, 'workers - several');

# in time: not at the end of the wait

my @slow = grep { !/ [0-9]\.\d+ \d+$/ }
	$t->lines(qr/^"workers-held" /, name => 'waits.log');

is(scalar @slow, 0, 'workers - as soon as it is known');

# what it has failed at is new for one of them, for the others in flight again

foreach my $case ([ 500, '500' ], [ 404, '404' ], [ 'reset', '502' ],
	[ 'close', '502' ])
{
	my ($how, $status) = @$case;

	$first = first("fails-$how", 'hang');
	@c = map { held("fails-$how") } 1 .. 20;

	$u->script('hang');
	$u->release(1, $how);

	is(verdict($first), $status, "first $how");

	ok($u->wait_for(2), "first $how - another one is proxied");
	is($u->last()->{body}, "{\"id\":\"fails-$how\"}",
		"first $how - as it was sent");

	$u->release();

	is(summary(responses(20, \@c)), '1 x 200, 19 x 200 duplicate',
		"first $how - and accepted");
	is($u->count(), 2, "first $how - no other");
}

# each of them fails: none is swallowed

$u->reset()->answer(500);
$u->script('hang');

$first = sent('all', send_only => 1);
$u->wait_for(1);
@c = map { held('all') } 1 .. 5;
$u->release(1, 500);

is(verdict($first), '500', 'all fail - first');
is(summary(responses(5, \@c)), '5 x 500', 'all fail - others');
is($u->count(), 6, 'all fail - each was proxied');

# the first one leaves

$first = first('left');
$c = held('left');

$u->script(200);
$first->abort();

is(verdict($c), '200', 'first left - second');
is($u->count(), 2, 'first left - is proxied');
is(verdict(sent('left')), '200 duplicate', 'first left - done');

# its worker dies, and its lease runs out

$first = first('died');
my $before = $t->log_pos();
my ($pid) = Test::Nginx::Upstream::header($u->last(), 'X-Pid');

@c = map { held('died') } 1 .. 20;
kill 'KILL', $pid;
$u->wait_gone(1);

$t->wait_log(qr/worker process $pid exited on signal 9/, from => $before);

# some of them were the dead one's

my @gone = grep { $_->closed(0.2) } @c;
@c = grep { my $c = $_; !grep { $_ == $c } @gone } @c;

SKIP: {
	skip 'all of them died', 2 unless @c;

	my $n = @c;

	$u->script(200);
	$t->clock($start + 30);

	my @answers = responses($n, \@c);

	is(join(', ', $u->count(), grep { /200$/ } split /, /,
		summary(@answers)), '2, 1 x 200',
		'first died - one at the end of its lease');
	is(scalar(grep { $_->header('Webhook-Duplicate') } @answers), $n - 1,
		'first died - the others after it');
}

$t->clock($start);

###############################################################################

# for a time

foreach my $case (
	[ 'short', '503 retry 5', '200 duplicate' ],
	[ 'zero', '503 retry 5', '200 duplicate' ],
	[ 'status', '429 retry 5', '202 duplicate' ],
) {
	my ($name, $verdict, $then) = @$case;

	$first = first($name);

	my $time = time();
	my $r = sent($name, uri => "/$name",
		headers => [ [ 'X-Case', "$name-held" ] ]);
	$time = time() - $time;

	is(verdict($r), $verdict, "$name - in flight");
	$r->{client}->close();

	is(logged("$name-held"), "$r->{status} \"IN_FLIGHT\" \"lease_held\"",
		"$name - variables");

	cmp_ok($time, '>=', 0.29, "$name - held") if $name ne 'zero';

	my ($line) = $t->lines(qr/^"$name-held" /, name => 'waits.log');
	my ($took) = $line =~ / ([0-9.]+) \d+$/;

	cmp_ok($took, '<', $name eq 'zero' ? 0.25 : 5, "$name - not longer");

	is($u->count(), 1, "$name - one is proxied");

	$u->release();
	is(verdict($first), '200', "$name - first");
	is(verdict(sent($name, uri => "/$name")), $then, "$name - then");
}

# five seconds unless told

$first = first('default');

my $time = time();
is(verdict(sent('default', uri => '/default', port => 8082)), '503 retry 5',
	'default - in flight');
$time = time() - $time;

cmp_ok($time, '>', 4.9, 'default - held for five seconds');

$u->release();
verdict($first);

# what is not genuine does not wait, and dry run never does

$first = first('forged');

is(verdict(sent('forged', forged => 1)), '401', 'forged');
is(verdict(sent('forged', uri => '/dry')), '200', 'dry run');
is($u->count(), 2, 'dry run - proxied');

$u->release();
verdict($first);

###############################################################################

# who waits may leave

$first = first('leaves');

foreach my $how (qw/ close abort half_close /) {
	SKIP: {
	skip 'nginx 1.18 waits for more in vain', 1
		if $how eq 'half_close' and !$t->has_version('1.19.0');

	$c = held('leaves', "leaves-$how");
	$c->$how();

	is(logged("leaves-$how", 5), '499 "" ""', "$how - gone at once");
	}
}

$c = held('leaves');
$u->release();

is(verdict($first) . ', ' . verdict($c), '200, 200 duplicate',
	'client left - the zone is as before');

# and bytes of a next request are left alone

$first = first('pipelined');
$c = held('pipelined');
$c->send("GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n");

$u->release(1);

is(verdict($first) . ', ' . verdict($c) . ', ' . $c->response()->{status},
	'200, 200 duplicate, 200', 'pipelined');

###############################################################################

# a reload while they wait: all are answered, and old workers go

$first = first('reload');
@c = map { held('reload') } 1 .. 10;

my @old = $t->workers();

$t->reload();

push @c, map { held('reload', 'reload-new') } 1 .. 3;

$u->release();

is(verdict($first), '200', 'reload - first');
is(summary(responses(13, \@c)), '13 x 200 duplicate', 'reload - others');

$_->close() foreach @c;
$first->close();

ok(wait_until(sub { !grep { kill 0, $_ } @old }), 'reload - old workers go');

# a shutdown does not wait for them longer than they would

$first = first('stop');
$c = held('stop', 'stop-held', '/short');

kill 'QUIT', $t->master();

is(verdict($c), '503 retry 5', 'stop - in flight');
$u->release();
is(verdict($first), '200', 'stop - first');
$_->close() foreach $first, $c;

$t->stop();

###############################################################################

# A worker holds so many, and no more; those beyond are answered at once, and
# where there is room again they are held again.

SKIP: {
	skip 'not enough open files', 6
		if $files =~ /^\d+$/ and $files < $max + 500;

	(my $one = $conf) =~ s/worker_processes +4/worker_processes 1/;
	$t->write_file_expand('nginx.conf', $one);
	$t->run();

	$first = first('many');
	@c = map { sent('many', send_only => 1) } 1 .. $max + 6;

	is(summary(responses(6, \@c)), '6 x 503 retry 5', 'many - not held');

	my $from = $t->log_pos('waits.log');

	$c = pop @c;
	$c->abort();

	$t->wait_log(qr/ 499 /, name => 'waits.log', from => $from);

	$c = held('many', 'many-again');

	is(verdict(sent('many')), '503 retry 5', 'many - one for one');
	ok(!$c->closed(0), 'many - held again');

	$u->release();

	is(verdict($first), '200', 'many - first');

	push @c, $c;
	is(summary(responses($max, \@c)), "$max x 200 duplicate",
		'many - others');
	is($u->count(), 1, 'many - one is proxied');
}

$t->run() unless $t->master();

###############################################################################

# the first delivery of an event, which hangs

sub first {
	my ($id) = @_;

	$u->reset()->script('hang');

	my $c = sent($id, send_only => 1);

	$u->wait_for(1) or die "no first delivery\n";

	return $c;
}

# One that waits: its body came with its header, so it does once nginx has
# begun with its access phase.

sub held {
	my ($id, $case, $uri) = @_;

	$held++;
	$uri = ($uri || '/hook') . "?held=$held";

	my $c = sent($id, send_only => 1, uri => $uri,
		headers => [ [ 'X-Case', $case || "$id-held" ] ]);

	$t->wait_access($uri);

	return $c;
}

sub sent {
	my ($id, %opts) = @_;

	my $body = "{\"id\":\"$id\"}";

	return request(uri => '/hook', %opts,
		body => $opts{forged} ? "$body " : $body,
		headers => [ sign('nextpay', $secret, $body),
			@{$opts{headers} || []} ], keepalive => 1);
}

# the status of an answer, or of that of a client

sub verdict {
	my ($r) = @_;

	$r = $r->response() if ref $r and $r->isa('Test::Nginx::Client');

	return answered($r);
}

# lines are written after the answer

sub logged {
	my ($case, $timeout) = @_;

	my $line = $t->wait_log(qr/^"\Q$case\E" /, name => 'waits.log',
		timeout => $timeout || 10);

	return defined $line && $line =~ /^"[^"]*" (\d+ "[^"]*" "[^"]*")/
		? $1 : 'not logged';
}

###############################################################################
