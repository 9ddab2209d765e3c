#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the state file of a zone: what was accepted is known after a
# restart, a crash, a reload of any kind and a binary upgrade, and a file that
# is not what was written is told of and ignored.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use File::Copy qw/ copy /;
use IO::Socket;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $secret = 'secret-of-nextpay-0123456789';
my $start = 1764000000;

my $seed = defined $ENV{TEST_NGINX_SEED} ? $ENV{TEST_NGINX_SEED}
	: int(rand(1 << 30));
srand($seed);

my ($flips, $cuts) = (12, 8);

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faketime()
	->allow(qr/\[alert\] .* (?:exited on signal 9|was locked by \d+)/,
		qr/\[emerg\] .*(?:bind\(\)|still could not bind)/,
		qr/\[emerg\] .*unknown directive "nonsense"/)
	->plan(99 + $flips + $cuts);

my $d = $t->testdir();

mkdir "$d/state";

# a module of its own, that can be replaced

my $module = $Test::Nginx::MODULE;

if ($module ne '') {
	replace_module();
	$Test::Nginx::MODULE = "$d/module.so";
}

my $u = upstream(8081);

###############################################################################

# A clean stop, and a start.  Claims are left behind.

foreach my $signal (qw/ QUIT TERM INT /) {
	conf();
	$t->clock($start)->run();

	$u->script(200, 500);

	is(join(', ', map { sent("$signal-$_") } 'a', 'failed'),
		'200 proxied, 500 proxied', "$signal - delivered");

	$u->script('hang');
	my $n = $u->count();
	my $c = sent("$signal-flight", send_only => 1);
	my $ok = $u->wait_for($n + 1);

	# who stops gracefully waits for it

	if ($signal eq 'QUIT') {
		$u->release(1, 500);
		is($c->response()->{status}, 500, "$signal - answered");

	} else {
		ok($ok, "$signal - in flight");
	}

	finish($signal);

	is(join(' ', files()), 'events.state others.state',
		"$signal - files");
	is(join(' ', map { sprintf '%04o', (stat "$d/state/$_")[2] & 07777 }
		files()), '0600 0600', "$signal - mode");

	$t->run();

	is(join(', ', map { sent("$signal-$_") } 'a', 'failed', 'flight'),
		'200 duplicate, 200 proxied, 200 proxied',
		"$signal - known after a start");

	$t->stop();
}

$t->run();

is(join(', ', map { sent("$_-a") } qw/ QUIT TERM INT /),
	join(', ', ('200 duplicate') x 3), 'all of them');

# for as long as it was to be

is(sent('short', uri => '/short'), '200 proxied', 'ttl');

$t->stop();
$t->clock($start + 59)->run();

is(sent('short', uri => '/short'), '200 duplicate', 'ttl - before its end');

$t->stop();
$t->clock($start + 60)->run();

is(sent('short', uri => '/short'), '200 proxied', 'ttl - at its end');

# nothing in it tells what it is about

$t->stop();

my $content = slurp('events.state');
my $found = join ' ', grep { index($content, $_) >= 0 } $secret, 'QUIT-a',
	'TERM-a', '"id"', 'nextpay', '/hook', 'localhost';

is($found, '', 'no secret, no id');

###############################################################################

# nothing is said to anybody

$t->run();
$content = slurp('events.state');

foreach my $id ('killed-1', 'killed-2') {
	sent($id);

	ok(wait_until(sub { slurp('events.state') ne $content }),
		"$id - in the file while it runs");
	$content = slurp('events.state');
}

finish('KILL');
$t->run();

is(join(', ', map { sent($_) } 'killed-1', 'killed-2', 'QUIT-a'),
	join(', ', ('200 duplicate') x 3), 'killed - known');

# a worker of several dies

$content = slurp('events.state');
sent('worker-1');
wait_until(sub { slurp('events.state') ne $content });

my ($pid) = $t->workers();
kill 'KILL', $pid;

ok(wait_until(sub {
	my @pids = $t->workers();
	return @pids == 2 && !grep { $_ == $pid } @pids;
}), 'worker killed - replaced');

is(join(', ', map { sent($_) } 'worker-1', 'worker-2'),
	'200 duplicate, 200 proxied', 'worker killed - goes on');
is(restarted('worker-1', 'worker-2'), 'known known', 'worker killed - known');

###############################################################################

# reloads

foreach my $case (
	[ 'same size' ],
	[ 'larger', size => '2m' ],
	[ 'smaller', size => '64k' ],
	[ 'smallest', size => '32k' ],
	[ 'path changed', path => 'changed' ],
	[ 'path and size changed', path => 'again', size => '96k' ],
	[ 'no file', path => '' ],
	[ 'file added', path => 'added' ],
	[ 'module replaced', path => 'added', module => 1 ],
	[ 'module replaced, size changed', path => 'added', size => '1m',
		module => 1 ],
) {
	my ($name, %opts) = @$case;

	(my $id = $name) =~ s/\W+/-/g;

	SKIP: {
	skip 'module is linked in', 3 if $opts{module} and $module eq '';

	sent("$id-before");

	replace_module() if $opts{module};
	conf(%opts);
	ok($t->reload(), "$name - reloaded");

	sent("$id-after");

	is(join(', ', map { sent($_) } "$id-before", "$id-after", 'QUIT-a'),
		join(', ', ('200 duplicate') x 3), "$name - known");

	# without a file only a reload is survived

	if (exists $opts{path} and $opts{path} eq '') {
		pass("$name - nowhere to be kept");
		next;
	}

	is(restarted("$id-before", "$id-after", 'QUIT-a'),
		'known known known', "$name - after a restart");
	}
}

conf();
$t->reload();

is(restarted('QUIT-a'), 'known', 'back to the first file');

# a reload that is refused, before the zone is made and after

foreach my $case (
	[ 'refused', more => 'nonsense;' ],
	[ 'refused, other size', more => 'nonsense;', size => '2m' ],
	[ 'port in use', listen => 8082 ],
	[ 'port in use, other size', listen => 8082, size => '2m' ],
	[ 'port in use, other file', listen => 8082, path => 'never' ],
) {
	my ($name, %opts) = @$case;

	(my $id = $name) =~ s/\W+/-/g;

	my $busy = IO::Socket::INET->new(Proto => 'tcp', Listen => 1,
		LocalAddr => '127.0.0.1', LocalPort => port(8082))
		or die "Can't listen: $!\n";

	my @before = files();

	my $from = $t->log_pos();

	sent("$id-before");
	conf(%opts);
	my $reloaded = $t->reload();

	# it is tried several times

	$t->wait_log(qr/still could not bind/, from => $from)
		if $opts{listen};

	sent("$id-after");
	wait_until(sub { "@{[ files() ]}" eq "@before" });

	is(join(' ', $reloaded ? 'reloaded' : 'refused', files()),
		join(' ', 'refused', @before), "$name - nothing left");

	conf();

	is(restarted("$id-before", "$id-after", 'QUIT-a'),
		'known known known', "$name - after a restart");
}

# Old workers that still have something to do, and a new file.  What they
# learn of a zone that is no more may be lost, but nothing else.

foreach my $size ('1m', '2m') {
	$u->script('hang');

	my $n = $u->count();
	my $c = sent("old-$size", send_only => 1);
	$u->wait_for($n + 1);

	my @old = $t->workers();

	conf(size => $size);
	$t->reload();

	my @ids = map { "new-$size-$_" } 1 .. 50;
	sent($_) foreach @ids;

	$u->release();
	is($c->response()->{status}, 200, "old worker, $size - answers");
	$c->close();

	ok(wait_until(sub { !grep { kill 0, $_ } @old }),
		"old worker, $size - is gone");

	is(restarted(@ids, 'QUIT-a', $size eq '1m' ? "old-$size" : ()),
		join(' ', ('known') x ($size eq '1m' ? 52 : 51)),
		"old worker, $size - file unharmed");
}

$u->reset();

###############################################################################

# nginx -t leaves everything alone, also while another nginx is running

conf();
$t->reload();

foreach my $when ('running', 'stopped') {
	$t->stop() if $when eq 'stopped';

	my @before = map { join ' ', $_, (stat "$d/state/$_")[1, 7, 9, 10] }
		files();

	my ($status) = $t->conf_test(text());
	my ($other) = $t->conf_test(text(path => 'untested', size => '3m'));

	is(join(', ', $status, $other, map { join ' ', $_,
		(stat "$d/state/$_")[1, 7, 9, 10] } files()),
		join(', ', 0, 0, @before), "nginx -t while $when");
}

###############################################################################

# A binary upgrade.  The new master needs what the first one was started with.

SKIP: {
	$t->run();

	$content = slurp('events.state');
	sent('upgrade-1');
	wait_until(sub { slurp('events.state') ne $content });

	my $old = $t->master();
	my $new = $t->upgrade();

	skip 'no binary upgrade here', 8 unless $new;

	is(join(', ', map { sent($_) } ('upgrade-1') x 8),
		join(', ', ('200 duplicate') x 8), 'upgrade - both know');

	kill 'WINCH', $old;
	wait_until(sub { !$t->workers($old) });

	is(join(', ', map { sent($_) } 'upgrade-1', 'upgrade-2'),
		'200 duplicate, 200 proxied', 'upgrade - the new one');

	kill 'QUIT', $old;
	wait_until(sub { !Test::Nginx::_alive($old) });

	$t->follow($new);

	is(join(', ', map { sent($_) } 'upgrade-1', 'upgrade-2', 'QUIT-a'),
		join(', ', ('200 duplicate') x 3), 'upgrade - done');
	is(join(', ', sort map { s!.*/!!r } grep { /\.state/ }
			map { readlink($_) || '' } glob("/proc/$new/fd/*")),
		'events.state, others.state', 'upgrade - no file of the old ones');
	is(restarted('upgrade-1', 'upgrade-2', 'QUIT-a'),
		'known known known', 'upgrade - after a restart');

	# rolled back while the old workers still serve: a reload takes the file
	# back that the new ones have put in its place

	$old = $t->master();
	$new = $t->upgrade() or die "no second upgrade\n";

	kill 'QUIT', $new;
	wait_until(sub { !Test::Nginx::_alive($new) });
	taken_back($old);

	sent('rolled-1');
	is(restarted('rolled-1', 'upgrade-2', 'QUIT-a'),
		'known known known', 'rolled back - after a restart');

	# and after they have gone

	$old = $t->master();
	$new = $t->upgrade() or die "no third upgrade\n";

	kill 'WINCH', $old;
	wait_until(sub { !$t->workers($old) });

	sent('rolled-2');

	kill 'HUP', $old;
	wait_until(sub { $t->workers($old) });
	kill 'QUIT', $new;
	wait_until(sub { !Test::Nginx::_alive($new) });

	is(sent('upgrade-2'), '200 duplicate', 'rolled back late - known');

	taken_back($old);

	sent('rolled-3');
	is(restarted('rolled-1', 'rolled-3', 'QUIT-a'),
		'known known known', 'rolled back late - after a restart');
}

$t->stop() if $t->master();

###############################################################################

# Files that are not what was written.  The zone is small, so that there is
# something everywhere.

unlink map { "$d/state/$_" } files();

conf(size => '32k');
$t->run();

my @ids = map { "c$_" } 1 .. 300;

my %client = (client => client(port => 8080), http => '1.1', keepalive => 1);
sent($_, %client) foreach @ids;
delete $client{client};

$t->stop();

my $good = slurp('events.state');
my $others = slurp('others.state');
my $size = length $good;

note("seed $seed, size $size");

# One byte that is another one costs the file if it is in its header, and what
# is in a record of it if it is there.  What is behind the header means nothing.

foreach my $n (1 .. $flips) {
	my $offset = $n == 1 ? 0 : $n == 2 ? $size - 1 : $n == 3 ? 135
		: $n == 4 ? 136 : $n == 5 ? 256 : int(rand($size));
	my $bits = 1 + int(rand(255));

	my $bad = $good;
	substr($bad, $offset, 1) ^= chr($bits);

	is(started($bad), $offset < 136 ? 'ignored' : $offset < 256 ? 'believed'
		: 'skipped', "byte $n")
		or diag("TEST_NGINX_SEED=$seed, offset $offset, $bits");
}

foreach my $n (1 .. $cuts) {
	my $len = $n == 1 ? 1 : $n == 2 ? $size - 1 : int(rand($size));

	is(started(substr($good, 0, $len)), 'ignored', "cut $n")
		or diag("TEST_NGINX_SEED=$seed, length $len");
}

foreach my $case (
	[ 'empty', '' ],
	[ 'too long', $good . 'x' ],
	[ 'twice', $good . $good ],
	[ 'text', "hello\n" x 10000 ],
	[ 'zeros', "\0" x $size ],
	[ 'beginning of zeros', "\0" x 200 . substr($good, 200) ],
	[ 'another zone', $others, qr/another zone/ ],
	(map { [ "version $_", substr($good, 0, 8) . pack('V', $_)
		. substr($good, 12), qr/of another version/ ] } 0, 1, 3, 77),
	[ 'huge', sub {
		truncate "$d/state/events.state", 100 << 30
			or die "Can't truncate: $!\n";
	} ],
) {
	my ($name, $bad, $re, %opts) = @$case;

	is(started($bad, $re, %opts), 'ignored', $name);
}

my $half = ($size - 256) / 256 >> 1;

like(started(substr($good, 0, -256 * $half) . "\0" x (256 * $half),
	qr/damaged: $half of \d+ records were skipped/),
	qr/^told of, \d+ x 200 duplicate, \d+ x 200 proxied$/, 'end of zeros');

is(started($good, qr/saved in the future/, clock => $start - 7200),
	'told of, ' . @ids . ' x 200 duplicate', 'from the future');

is(started($good), 'believed', 'as it was');

conf();
$t->run();

is(join(', ', map { sent('last') } 1 .. 2), '200 proxied, 200 duplicate',
	'works');

###############################################################################

sub text {
	my (%opts) = @_;

	my $size = $opts{size} || '1m';
	my $more = $opts{more} || '';
	my $listen = $opts{listen} ? "listen 127.0.0.1:$opts{listen};" : '';

	my $state = exists $opts{path} ? $opts{path} : 'events';
	$state = "state=%%TESTDIR%%/state/$state.state" if $state ne '';

	return <<"EOF";

%%TEST_GLOBALS%%

worker_processes  2;

env LD_PRELOAD;
env ASAN_OPTIONS;
env UBSAN_OPTIONS;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:$size $state;
    webhook_dedup_zone  zone=others:32k state=%%TESTDIR%%/state/others.state;

    webhook_in_flight_wait  0;

    keepalive_requests  10000;

    $more

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        $listen

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /hook {
            webhook_verify  nextpay;
            webhook_secret  $secret;
            webhook_dedup   zone=events key=hook;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /short {
            webhook_verify  nextpay;
            webhook_secret  $secret;
            webhook_dedup   zone=events ttl=60s;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /others {
            webhook_verify  nextpay;
            webhook_secret  $secret;
            webhook_dedup   zone=others;
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}

EOF
}

sub conf {
	$t->write_file_expand('nginx.conf', text(@_));
}

# a new file under the same name, as packages do it

sub replace_module {
	copy($module, "$d/module.so.new") or die "Can't copy $module: $!\n";
	rename "$d/module.so.new", "$d/module.so"
		or die "Can't rename module.so: $!\n";
}

sub files {
	opendir my $dh, "$d/state" or die "Can't open state: $!\n";
	my @files = sort grep { !/^\.\.?$/ } readdir $dh;
	return @files;
}

sub slurp {
	my ($name) = @_;
	return $t->read_file("state/$name");
}

# ends by a signal to the master, or to everybody

sub finish {
	my ($signal) = @_;

	my @pids = ($t->master(), $t->workers());

	kill $signal, $signal eq 'KILL' ? @pids : $pids[0];

	wait_until(sub { !grep { Test::Nginx::_alive($_) } @pids })
		or die "did not stop by $signal\n";

	$t->stop();
}

sub restarted {
	my (@ids) = @_;

	$t->stop();
	$t->run();

	return join ' ', map { my $v = sent($_);
		$v eq '200 duplicate' ? 'known' : "$_: $v" } @ids;
}

# What comes of a file: "ignored" if that is told, and nothing in it is known;
# "skipped" if it is told that one record was, and no more is missing than one
# can hold; "believed" if nothing is told, and all is known.

sub started {
	my ($content, $re, %opts) = @_;

	$re = qr/./ unless defined $re;

	my $path = "$d/state/events.state";

	unlink $path;
	$t->write_file('state/events.state', ref $content ? '' : $content);
	$content->() if ref $content;

	my $from = $t->log_pos();

	conf(size => '32k');
	$t->clock($opts{clock} || $start + 60);

	eval { $t->run() };
	return "did not start: $@" if $@;

	my @told = grep { /events\.state/ && /$re/ } $t->lines(qr/\[error\]/,
		from => $from);

	my $client = client(port => 8080);

	my %known;
	$known{sent($_, client => $client)}++ foreach @ids;

	my $all = join ', ', map { "$known{$_} x $_" } sort keys %known;

	# and it works from then on

	my $then = join ', ', map { sent($_, client => $client) } $ids[0],
		"then-$ids[0]", "then-$ids[0]";

	$client->close();
	$t->stop();

	return "then $then"
		unless $then eq '200 duplicate, 200 proxied, 200 duplicate';

	my $n = @ids;

	return 'ignored' if @told and $all eq "$n x 200 proxied";
	return 'believed' if !@told and $all eq "$n x 200 duplicate";
	return 'skipped' if @told == 1
		and $told[0] =~ /damaged: 1 of \d+ records were skipped/
		and $n == ($known{'200 duplicate'} || 0) + ($known{'200 proxied'} || 0)
		and ($known{'200 proxied'} || 0) <= 8;
	return @told ? "told of, $all" : $all;
}

sub proc {
	my ($name) = @_;

	open my $f, '<', $name or return '';
	local $/;
	return <$f>;
}

# The old master has its pid file again, and is reloaded.

sub taken_back {
	my ($old) = @_;

	wait_until(sub {
		return proc($t->testdir() . '/nginx.pid') eq "$old\n";
	});

	$t->reload() or die "no reload\n";
}

# What became of a delivery: the answer's status, "proxied" if it reached the
# upstream.

sub sent {
	my ($id, %opts) = @_;

	my @event = ('nextpay', $secret, "{\"id\":\"$id\"}", uri => '/hook',
		%opts);

	return deliver(@event) if $opts{send_only};

	return came_of($u, sub { deliver(@event) });
}

###############################################################################
