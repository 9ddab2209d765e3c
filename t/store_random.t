#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# A randomised test of servers that share a store: three of them, with two
# workers each, many events, with retries and duplicates that go to any of
# them, while the upstream accepts, fails, and takes its time; connections to
# the store are cut, stand still, lose commands and answers; the store is
# killed, and workers and servers are; servers are reloaded, and asked to forget
# events.  From what the senders, the upstream, and those between the servers
# and the store saw:
#
# a  no two deliveries at once of what both have asked the store for;
# b  none after an accepted one: never by the same server, and by another one
#    only if a fault was between; unless it was to be forgotten meanwhile;
# c  no duplicate of what was not accepted;
# d  the store is said to be away only where there was a fault;
# e  nobody waits for longer than he may;
# f  in the end all is accepted, and the store knows that and nothing else;
# g  what all servers have forgotten by then is delivered once more.
#
# What is a fault is known: each is noted with the servers that it hits, and
# with the time until which it may be felt.  Where this machine stood still,
# that is a fault of all.
#
#	TEST_SEED     seed of all that is decided here
#	TEST_SECONDS  how long to go on (20; 60 if CI is set)

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
use Test::Nginx::Traffic;
use Test::Nginx::Webhook;

use Time::HiRes qw/ time /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $seconds = $ENV{TEST_SECONDS} || ($ENV{CI} ? 60 : 20);
my $seed = defined $ENV{TEST_SEED} ? $ENV{TEST_SEED} : int(rand(2 ** 31));

srand($seed);

my $lease = 4;
my $timeout = 1;
my $wait = 1;

# for how long a fault may be felt: the store is tried again after 5 s and a
# quarter at the latest, and is told of what it does not know within a second

my $felt = 8;

# either the store may lose its data, or servers what their zones know: what
# both have lost nobody can know

my $keeps = chance(0.5);

my @allow = (qr/\[alert\] .* exited on signal 9/,
	qr/\[alert\] .* shared memory zone "events" was locked by/,
	qr/\[alert\] .* sendmsg\(\) failed \(32: /);

my @servers = map { { n => $_, port => 8080 + 100 * $_,
	nginx => Test::Nginx->new()->allow(@allow) } } 0 .. 2;

$servers[0]{nginx}->has(qw/http proxy/);

my $redis = Test::Nginx::Redis->new(8379, $keeps ? (appendonly => 'yes') : ());

$servers[0]{nginx}->plan(8);

alarm($seconds + 280) unless $ENV{TEST_NGINX_TIMEOUT};

my $traffic = Test::Nginx::Traffic->new(
	delivered => \&delivered,
	done => \&done,
);

$traffic->listen(8081);

foreach my $s (@servers) {
	my $port = 8380 + 100 * $s->{n};

	$s->{store} = Test::Nginx::Store->new($port, 8379);

	my $conf = fleet_conf(
		port => $s->{port},
		workers => 2,
		store => "server 127.0.0.1:$port; timeout ${timeout}s;"
			. " connect_timeout ${timeout}s;",
		dedup => "lease=${lease}s",
		http => 'add_header X-Pid $pid always;'
			. ' add_header X-Store $webhook_store always;'
			. ' add_header X-Status $webhook_status always;'
			. " server { listen 127.0.0.1:@{[ $port + 1 ]};"
			. ' location = /webhooks { webhook_monitor write=on; } }',
		server => "webhook_in_flight_wait ${wait}s;"
			. ' proxy_ignore_client_abort on;'
			. ' proxy_next_upstream off;'
			. ' proxy_set_header X-Pid $pid;'
			. ' proxy_set_header X-Now $msec;'
			. ' proxy_set_header X-Store $webhook_store;',
		locations => { '/reject' => 'webhook_dedup zone=events'
			. " key=events ttl=1h lease=${lease}s"
			. ' on_error=reject;' },
	) =~ s/webhook_in_flight_wait  0;//r;

	# each step of all these requests is too much to be logged

	(my $globals = $s->{nginx}->test_globals())
		=~ s/error\.log debug;/error.log notice;/;
	$conf =~ s/%%TEST_GLOBALS%%/$globals/;

	$s->{nginx}->write_file_expand('nginx.conf', $conf);
	$s->{nginx}->run();
}

foreach my $s (@servers) {
	$s->{nginx}->wait_log(qr/\[notice\] .*fleet/, count => 2)
		or die "no store\n";
}

diag("seed $seed, $seconds seconds, the "
	. ($keeps ? 'store' : 'servers') . ' remember');

###############################################################################

# Driving: so many events are under way at a time, each with senders that
# retry, and with a number of duplicates still to come.

my ($driving, $events, $tick) = (1, 0, time());
my (%events, %count, @faults, %killed, %held, @emptied, %forgets);

my $till = time() + $seconds;

new_event() foreach 1 .. 40;
tick();
$traffic->after(1 + rand(1), \&episode);
$traffic->after(rand(1), \&forgetting);

# never without these

$traffic->after($seconds * (0.2 + rand(0.4)), \&kill_store);
$traffic->after($seconds * (0.2 + rand(0.4)), sub { kill_worker($servers[0]) });

$traffic->run(sub { time() > $till });

# Then all goes well, and each event is sent once more when it is known to be
# accepted: by then nothing is unknown.  Some are forgotten by all before that,
# among them those that were by one.

$driving = 0;

mend();

$till = time() + 60;
$traffic->run(sub { !$traffic->busy() or time() > $till });

my $settled = time() + $felt;
$traffic->run(sub { time() > $settled });

foreach my $event (values %events) {
	if ($event->{accepted} and ($forgets{$event->{id}} or chance(0.2))) {
		forget_everywhere($event, 0 .. $#servers);

	} else {
		attempt($event);
	}
}

$till = time() + 60;

$traffic->run(sub {
	return 1 if time() > $till;
	return !$traffic->busy() && !$traffic->open_deliveries()
		&& !grep { !$_->{accepted} } values %events;
});

# and then it is quiet

my %left;
my %key = map { event_key($_->{id}) => $_ } values %events;

wait_until(sub { rest(); !%left; }) foreach 1 .. 3;

my $told = $servers[0]{store}->count(qr/ d:/);
my $quiet = time() + 2.5;
$traffic->run(sub { time() > $quiet });
rest();
$told = $servers[0]{store}->count(qr/ d:/) - $told;

###############################################################################

my (%wrong, %commits, %claims);

judge();

$count{attempts} = () = $traffic->attempts();
$count{deliveries} = () = $traffic->deliveries();
$count{events} = keys %events;

note("$_: $count{$_}") foreach sort keys %count;

passed('a', 'not delivered twice at once');
passed('b', 'not delivered again when accepted');
passed('c', 'no duplicate of what was not accepted');
passed('d', 'the store is asked where it can be');
passed('e', 'nobody waits for too long');
passed('f', 'in the end all is known');
passed('g', 'what was forgotten is delivered');
is($told, 0, "nothing is owed, seed $seed");

###############################################################################

sub chance {
	my ($p) = @_;
	return rand() < $p;
}

sub one_of {
	return $_[int(rand(@_))];
}

# senders

sub new_event {
	my $id = 'evt-' . $events++;

	my $event = $events{$id} = {
		id => $id,
		body => qq({"id":"$id"}),
		tries => 0,
		out => 0,
		accepted => 0,
		duplicates => 1 + int(rand(4)),
		patience => 6 + int(rand(10)),
	};

	burst($event, 0.5);
}

sub burst {
	my ($event, $chance) = @_;

	my $n = chance($chance) ? 2 + int(rand(3)) : 1;
	attempt($event) foreach 1 .. $n;
}

sub attempt {
	my ($event, %opts) = @_;

	my $s = one_of(@servers);

	$event->{out}++;
	$event->{tries}++;

	$traffic->attempt(
		%opts,
		key => $event->{id},
		event => $event,
		server => $s->{n},
		port => $s->{port},
		time => time(),
		uri => one_of('/hook', '/hook', '/reject'),
		body => $event->{body},
		headers => [ sign('nextpay', $SECRET, $event->{body}) ],
	);
}

sub done {
	my ($a) = @_;

	return forgotten($a) if $a->{method};

	my $event = $a->{event};

	$event->{out}--;
	$event->{accepted} = 1 if $a->{header} and $a->{status} =~ /^2/;
	$a->{done_time} = time();

	return if $event->{out} or $event->{retired};

	if (!$driving) {
		$traffic->after(0.3, sub { attempt($event) })
			unless $event->{accepted};
		return;
	}

	if ($event->{accepted} ? $event->{duplicates}-- <= 0
		: $event->{tries} >= $event->{patience})
	{
		$event->{retired} = $event->{accepted};

		# some are sent again much later

		$traffic->after(rand(12), sub { attempt($event) if $driving; })
			if chance(0.3);

		new_event();
		return;
	}

	$traffic->after(one_of(0, 0, rand(0.1), rand(0.5), rand(3)), sub {
		burst($event, 0.3) if $driving and !$event->{out};
	});
}

# whoever runs the servers

sub forgetting {
	return unless $driving;

	my $what = one_of(qw/ accepted out /);
	my @some = grep { $_->{$what} } values %events;

	forget(one_of(@some), one_of(@servers)) if @some;

	$traffic->after(rand(0.3), \&forgetting);
}

sub forget {
	my ($event, $s, %opts) = @_;

	my ($id) = event_key($event->{id}) =~ /(\w+)\z/;

	push @{$forgets{$event->{id}}}, $traffic->attempt(
		%opts,
		key => "forget $event->{id}",
		event => $event,
		server => $s->{n},
		port => 8381 + 100 * $s->{n},
		time => time(),
		method => 'DELETE',
		uri => "/webhooks?zone=events&id=$id",
		headers => [ [ 'Webhook-Forget' => 'events' ] ],
		body => '',
	);
}

sub forgotten {
	my ($a) = @_;

	$a->{done_time} = time();
	$a->{then}->() if $a->{then};
}

sub forget_everywhere {
	my ($event, $n, @more) = @_;

	forget($event, $servers[$n], at_rest => 1, then => sub {
		return forget_everywhere($event, @more) if @more;
		attempt($event, forgotten => 1);
	});
}

# the upstream

sub delivered {
	my ($d) = @_;

	$d->{time} = time();
	$d->{server} = $d->{attempt}{server};

	if (!$driving) {
		$traffic->respond($d, status => 200);
		return;
	}

	$traffic->respond($d,
		status => chance(0.6) ? one_of(200, 200, 204)
			: one_of(500, 503, 404),
		style => chance(0.85) ? 'whole' : one_of(qw/ close split /),
		pause => rand(0.3),
		delay => chance(0.5) ? 0 : chance(0.9) ? rand(0.5)
			: 1 + rand(2 * $lease));
}

###############################################################################

# Faults: for a time a server, its way to the store, or the store itself.

sub fault {
	my ($what, $seconds, @which) = @_;

	my $now = time();

	$count{"fault $what"}++;
	push @faults, { what => $what, from => $now, to => $now + $seconds,
		servers => { map { $_->{n} => 1 } @which } };
}

sub episode {
	return unless $driving;

	my $s = one_of(@servers);
	my $for = rand(one_of(0.3, 1.5, 2 * $timeout));

	if (chance(0.12)) {
		kill_store();

	} elsif (chance(0.05)) {
		return $traffic->after(1, \&episode) unless $redis->pid();

		fault('store hangs', $for, @servers);
		$redis->hang();
		$traffic->after($for, sub { $redis->go_on() if $redis->pid() });

	} elsif (chance(0.15)) {
		kill_worker($s);

	} elsif (chance(0.08)) {
		kill_server($s);

	} elsif (chance(0.1)) {
		$count{reloads}++;
		kill 'HUP', $s->{nginx}->master();

	} elsif (chance(0.1)) {
		hold_worker($s);

	} else {
		my $how = one_of(qw/ stall refuse cut reset commands commands
			commands slow /);

		fault($how, $for, $s);
		my $store = $s->{store};

		if ($how eq 'stall') {
			$store->stall(1);
			$traffic->after($for, sub { $store->stall(0) });

		} elsif ($how eq 'refuse') {
			$store->refuse()->cut();
			$traffic->after($for, sub { $store->listen() });

		} elsif ($how eq 'cut') {
			$store->cut();

		} elsif ($how eq 'reset') {
			$store->cut('reset');

		} elsif ($how eq 'slow') {
			$store->on(qr/./, { delay => rand(0.8) * $timeout });
			$traffic->after($for, sub { $store->on(qr/./) });

		} else {
			foreach my $re (qr/^SET \S+ p:/, qr/ d:/, qr/^EVAL/) {
				next if chance(0.5);

				$store->once($re, map { behaviour() }
					1 .. 1 + int(rand(4)));
			}

			$traffic->after($for, sub {
				$store->once($_) foreach qr/^SET \S+ p:/,
					qr/ d:/, qr/^EVAL/;
				$store->release();
			});
		}
	}

	$traffic->after(0.3 + rand(3), \&episode);
}

sub behaviour {
	return one_of(qw/ lost hang close reset late late /,
		{ cut => int(rand(40)) }, { half_close => 1 },
		{ pieces => 1 }, { append => "+OK\r\n" },
		{ reply => "-READONLY\r\n" }, { reply => "-OOM\r\n" },
		{ before => rand(2 * $timeout) },
		{ delay => rand(2 * $timeout) });
}

sub kill_store {
	return unless $redis->pid();

	fault('store killed', 0.5, @servers);

	$redis->kill();
	push @emptied, time() unless $keeps;

	my $for = chance(0.5) ? 0 : rand(1.5);
	$faults[-1]{to} += $for;

	$traffic->after($for, sub { $redis->start() unless $redis->pid() });
}

sub kill_worker {
	my ($s) = @_;

	my $pid = one_of($s->{nginx}->workers()) or return;
	return if $held{$pid};

	fault('worker killed', 0, $s);
	kill 'KILL', $pid;
	$killed{$pid} = time();
}

sub hold_worker {
	my ($s) = @_;

	my $pid = one_of($s->{nginx}->workers()) or return;
	return if $held{$pid};

	my $for = rand(one_of(0.5, $lease + 1));

	fault('worker held', $for, $s);
	$held{$pid} = 1;
	kill 'STOP', $pid;

	$traffic->after($for, sub { kill 'CONT', $pid if delete $held{$pid} });
}

# with all that its zone knows, or asked to end and started again

sub kill_server {
	my ($s) = @_;

	return unless $keeps;

	fault('server killed', 0.5, $s);

	my $nginx = $s->{nginx};
	my @pids = ($nginx->master(), Test::Nginx::_children($nginx->master()));

	return if grep { $held{$_} } @pids;

	my $now = time();
	kill 'KILL', @pids;
	$killed{$_} = $now foreach @pids;

	delete $nginx->{_master};
	wait_until(sub { !grep { Test::Nginx::_alive($_) } @pids });
	$nginx->run();

	push @{$s->{lost}}, $now;
}

sub mend {
	$redis->start() unless $redis->pid();
	$redis->go_on();

	kill 'CONT', keys %held;
	%held = ();

	foreach my $s (@servers) {
		my $store = $s->{store};

		$store->$_() foreach qw/ listen release /;
		$store->stall(0);
		$store->on(qr/./);
		$store->once($_) foreach qr/^SET \S+ p:/, qr/ d:/, qr/^EVAL/;
		$store->release();
	}
}

# this machine may stand still

sub tick {
	my $now = time();

	if ($now - $tick > 0.35) {
		push @faults, { what => 'machine', from => $tick, to => $now,
			servers => { map { $_->{n} => 1 } @servers } };
		$count{'machine stood still'}++;
	}

	$tick = $now;
	$traffic->after(0.05, \&tick);
}

###############################################################################

# what the store knows that it must not, and does not know

sub rest {
	my %value;

	foreach my $key ($redis->keys()) {
		my $value = $redis->command('GET', $key);
		$value{$key} = $value if defined $value and $key !~ /probe$/;
	}

	%left = ();

	foreach my $key (keys %value) {
		$left{$key} = "$value{$key} of "
			. ($key{$key} ? $key{$key}{id} : 'nobody')
			unless $key{$key} and $value{$key} =~ /^d:/;
	}

	foreach my $key (keys %key) {
		$left{$key} = "nothing of $key{$key}{id}"
			unless defined $value{$key};
	}

	return;
}

sub judge {
	wrong('f', $left{$_}) foreach sort keys %left;

	foreach my $event (values %events) {
		wrong('f', "not accepted: $event->{id}")
			unless $event->{accepted};
	}

	foreach my $s (@servers) {
		foreach my $command ($s->{store}->commands(qr/^SET/)) {
			my (undef, $key, $value) = @{$command->{args}};

			push @{$commits{$key}}, $command->{answered}
				if $value =~ /^d:/
				and ($command->{reply} || '') =~ /^\$/;
			push @{$claims{$key}{$s->{n}}}, $command->{time}
				if $value =~ /^p:/;
		}
	}

	judge_forget($_) foreach map { @$_ } values %forgets;

	my %by_id;
	push @{$by_id{$_->{attempt}{key}}}, $_ foreach $traffic->deliveries();

	foreach my $id (sort keys %by_id) {
		my @deliveries = @{$by_id{$id}};

		foreach my $i (0 .. $#deliveries) {
			judge_pair($deliveries[$_], $deliveries[$i])
				foreach 0 .. $i - 1;
		}
	}

	judge_attempt($_, $by_id{$_->{key}} || [])
		foreach grep { !$_->{method} } $traffic->attempts();
}

# The second has begun after the first one.

sub judge_pair {
	my ($first, $second) = @_;

	my $decided = $first->{decided}
		&& $first->{decided} < $second->{start};
	my $both = told_of($first) . ' and ' . told_of($second);

	return if $decided and $first->{result} eq 'fail';

	# what a worker has claimed when it was held it may deliver long after

	my $s = $servers[$first->{server}];
	my ($from, $to) = ($first->{time}, $second->{time});

	return if faulty($first, $from - $lease, $to, 'worker held')
		or faulty($second, $from - $lease, $to, 'worker held')
		or faulty($first, $from - $lease, $to, 'machine');

	# the worker was gone before it knew, or could say so

	my $gone = $killed{$first->{pid}};

	return if $gone and $gone < $to
		and !($decided and $gone > $first->{decided_time} + $lease);

	# a server that has lost its zone knows what the store does, as any other

	my $same = $first->{server} == $second->{server}
		&& !grep { $_ > $from and $_ < $to } @{$s->{lost} || []};

	return if to_forget($first, $second, !$decided ? $from - $lease
		: $first->{decided_time}, !$same);

	if ($same) {
		wrong($decided ? 'b' : 'a', "by one server: $both");
		return;
	}

	# one of the two did not ask the store

	return if $first->{store} ne 'MINE' and !told_to_store($first, $second);
	return if $second->{store} ne 'MINE';

	# the store has lost what it knew

	return if grep { $_ > $from - $lease and $_ < $to } @emptied;

	if (!$decided) {

		# the lease could not be renewed for as long as it lasts

		return if faulty($first, $from, $to, 'store hangs',
			'store killed', 'stall', 'refuse', 'commands', 'slow');

		wrong('a', $both);
		return;
	}

	return if !told_to_store($first, $second)
		and faulty($first, $from - 1, $to);

	wrong('b', $both);
}

# Whether the store had acknowledged that the first was accepted when it was
# asked for the second.

sub told_to_store {
	my ($first, $second) = @_;

	my $key = event_key($first->{attempt}{key});

	my ($claim) = sort { $b <=> $a } grep { $_ < $second->{time} }
		@{$claims{$key}{$second->{server}} || []};

	return $claim && grep { $_ < $claim
		and $_ > ($first->{decided_time} || 0) } @{$commits{$key} || []};
}

# Whether the event of two deliveries may have been forgotten between them: by
# their server, or by any.  Whose answer was not that may do so late.

sub to_forget {
	my ($first, $second, $from, $any) = @_;

	foreach my $a (@{$forgets{$first->{attempt}{key}} || []}) {
		my $status = $a->{status} || 0;

		next if $status == 404 or $status == 409;
		next if !$any and $a->{server} != $first->{server};

		return 1 if $a->{time} < $second->{time} and $from
			< $a->{done_time} + ($status == 200 ? 0 : $felt);
	}

	return 0;
}

# Whether the server of a delivery may have felt a fault, of these kinds if
# they are named.

sub faulty {
	my ($d, $from, $to, @what) = @_;

	my %what = map { $_ => 1 } @what;
	my $n = ref $d ? $d->{server} : $d;

	return scalar grep { $_->{servers}{$n} and $_->{from} < $to
		and $_->{to} + $felt > $from
		and (!@what or $what{$_->{what}}) } @faults;
}

sub judge_attempt {
	my ($a, $deliveries) = @_;

	return unless $a->{header};

	wrong('g', told_of($a)) if $a->{forgotten}
		and ($a->{answer}{'x-status'} || '') ne 'PASSED';

	my $verdict = $a->{answer}{'x-status'} || '';
	my $store = $a->{answer}{'x-store'} || '';

	$count{"answered $verdict $store"}++;

	wrong('c', told_of($a)) if $a->{status} =~ /^2/
		and !grep { $_->{decided} and $_->{decided} < $a->{header}
			and $_->{result} ne 'fail' } @$deliveries;

	wrong('d', told_of($a)) if $store =~ /^(?:FAILED|DOWN)$/
		and !faulty($a->{server}, $a->{time}, $a->{done_time});

	# until it was delivered, or refused

	my $d = $a->{deliveries}[-1];
	my $waited = ($d ? $d->{time} : $a->{done_time}) - $a->{time};

	wrong('e', sprintf('%s waited for %.1f s', told_of($a), $waited))
		if $waited > $wait + $timeout + 0.5
		and !faulty($a->{server}, $a->{time} - $lease, $a->{done_time},
			'worker held', 'machine', 'server killed');
}

sub judge_forget {
	my ($a) = @_;

	return unless $a->{header};

	$count{"forget $a->{status}"}++;

	wrong('d', told_of($a)) if $a->{status} == 503
		and !faulty($a->{server}, $a->{time}, $a->{done_time});

	wrong('e', told_of($a) . ' has taken too long')
		if $a->{done_time} - $a->{time} > $timeout + 0.5
		and !faulty($a->{server}, $a->{time} - $lease, $a->{done_time},
			'worker held', 'machine', 'server killed');

	wrong('g', told_of($a)) if $a->{at_rest}
		and $a->{status} !~ /^(?:200|404)$/;
}

###############################################################################

sub told_of {
	my ($x) = @_;

	my $a = $x->{attempt} || $x;

	my @told = ("$a->{key} at server $a->{server} #$a->{n} from $a->{start}");

	push @told, sprintf('at %.3f', $x->{time});

	push @told, "answered $a->{status} $a->{answer}{'x-status'}"
		. " $a->{answer}{'x-store'} at $a->{header}" if $a->{header};

	if ($x != $a) {
		push @told, "delivered at $x->{start} by $x->{pid}";
		push @told, "$x->{result} $x->{status} at $x->{decided}"
			if $x->{decided};
	}

	return '[' . join(', ', map { defined ? $_ : '' } @told) . ']';
}

sub wrong {
	my ($rule, $text) = @_;
	push @{$wrong{$rule}}, $text;
}

sub passed {
	my ($rule, $name) = @_;

	my @wrong = @{$wrong{$rule} || []};
	my $more = @wrong - 10;

	@wrong = (@wrong[0 .. 9], "and $more more") if $more > 0;

	is(join("\n", @wrong), '', "$name, seed $seed");
}

###############################################################################
