#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for processes that are killed between any two system calls with which
# they keep a state file: while a worker writes what has changed, and while the
# master makes a new file.  What is there afterwards can be read, holds nothing
# that was not accepted, and all that it held before.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::StateFile;
use Test::Nginx::Webhook;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $secret = 'secret-of-nextpay-0123456789';

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faults()
	->allow(qr/\[alert\] .* (?:exited on signal 9|was locked by \d+)/)
	->plan(18);

my $d = $t->testdir();

mkdir "$d/state";

my $u = upstream(8081);

# ids of events, by the key with which they are remembered

my %accepted;

###############################################################################

# A worker that ends writes all that is to be written.  Whoever is killed at it
# leaves the rest to the next one.

conf();
$t->run();

my ($n, @told, @wrong, @kept) = (0);

do {
	my @ids = map { "flush-$n-$_" } 1 .. 3;
	my ($worker) = $t->workers();

	push @told, map { sent($_) } @ids;
	rule('any 0 events.state kill=' . ++$n);

	kill 'QUIT', $worker;
	replaced($worker) or push @wrong, "$n: not replaced";

	push @wrong, map { "$n: $_" } wrong(@kept);
	push @kept, @ids if !killed();
	push @told, map { sent($_) } @ids;

} while (killed() and $n < 60);

is(join(' ', grep { !/^200 (?:proxied|duplicate)$/ } @told), '',
	'flush - events are delivered');
is(scalar @{[ grep { $_ eq '200 proxied' } @told ]}, 3 * $n,
	'flush - once');
cmp_ok($n, '>', 6, 'flush - killed at each call');
is(join("\n", @wrong), '', 'flush - the file is good at each of them');

# the worker that was not killed has written what the others have not

is(missing(keys %{{ reverse %accepted }}), '', 'flush - all is written');

all_killed();
rule();
$t->run();

is(forgotten(), '', 'flush - all is known after a start');
$t->stop();

###############################################################################

# The same by the timer, of another worker than the one that has got the event.

rule();
$t->run();

my ($worker) = $t->workers();

sent("timer-$_") foreach 1 .. 3;
rule('any 0 events.state kill=4');

ok(replaced($worker), 'timer - killed');
is(join("\n", wrong(@kept)), '', 'timer - the file is good');
ok(wait_until(sub { !missing(map { "timer-$_" } 1 .. 3) }),
	'timer - the next one writes the rest');

$t->stop();

###############################################################################

# The master makes a new file: when it starts, and for a table of another size.

@kept = values %accepted;

foreach my $case (
	[ 'start', '32k' ],
	[ 'reload', '64k' ],
	[ 'resize', '64k' ],
) {
	my ($name, $size) = @$case;

	($n, @wrong) = (0);

	do {
		my @pids;

		if ($name ne 'start') {
			conf($name eq 'resize' ? '32k' : $size);
			rule();
			$t->run();
		}

		conf($size);
		rule('any 0 events.state kill=' . ++$n);

		if ($name eq 'start') {
			eval { $t->run(); };

		} else {
			my ($old) = @pids = $t->workers();

			kill 'HUP', $t->master();

			wait_until(sub {
				killed() or grep { $_ != $old } $t->workers()
			});
		}

		all_killed(@pids);

		push @wrong, map { "$n: $_" } wrong(@kept);

	} while (killed() and $n < 60);

	cmp_ok($n, '>', $name eq 'reload' ? 3 : 5, "$name - killed at each call");
	is(join("\n", @wrong), '', "$name - the file is good at each of them");

	rule();
	$t->run();

	is(forgotten(), '', "$name - all is known after it");

	$t->stop();
}

conf();
rule();
$t->run();

###############################################################################

sub conf {
	my ($size) = @_;

	$size ||= '32k';

	$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

worker_processes  1;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:$size state=%%TESTDIR%%/state/events.state;

    webhook_in_flight_wait  0;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /hook {
            webhook_verify  nextpay;
            webhook_secret  $secret;
            webhook_dedup   zone=events key=hook;
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}

EOF
}

sub rule {
	my (@rules) = @_;

	unlink "$d/faults.count";
	$t->faults(@rules);
}

# the rules end with the process

sub killed {
	return !-e "$d/faults";
}

sub replaced {
	my ($worker) = @_;

	return wait_until(sub {
		my @pids = $t->workers();
		return @pids == 1 && $pids[0] != $worker;
	});
}

# and workers whose master is gone

sub all_killed {
	my (@workers) = @_;

	# the master first, as it would start other ones

	my @pids = grep { defined } $t->master(), @workers, $t->workers();

	kill 'KILL', @pids;
	wait_until(sub { !grep { Test::Nginx::_alive($_) } @pids });
	$t->stop();
}

# what is wrong with the file

sub wrong {
	my (@ids) = @_;

	my $entries = entries();

	return $entries if !ref $entries;

	my @invented = grep { !$accepted{$_} } @$entries;

	return (@invented ? @invented . ' entries were invented' : (),
		missing(@ids) || ());
}

sub missing {
	my (@ids) = @_;

	my %there = map { ($accepted{$_} || '') => 1 } @{entries()};
	my @missing = grep { !$there{$_} } @ids;

	return @missing ? "missing: @missing" : '';
}

sub entries {
	return state_keys($t->read_file('state/events.state'));
}

sub forgotten {
	return join ' ', map {
		my $came = sent($_);
		$came eq '200 duplicate' ? () : "$_: $came"
	} sort values %accepted;
}

sub sent {
	my ($id) = @_;

	my $key = state_key('nextpay', 'key', 'hook', '', $id);

	$accepted{$key} = $id;

	return came_of($u, sub {
		deliver('nextpay', $secret, "{\"id\":\"$id\"}", uri => '/hook')
	});
}

###############################################################################
