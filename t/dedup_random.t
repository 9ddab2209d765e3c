#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# A randomised test of deduplication: many events, with retries, concurrent
# duplicates, forged requests and senders that leave, while the upstream
# accepts, fails, hangs or is away, workers are killed or stand still, and the
# server is reloaded.  From what the senders and the upstream saw:
#
# a  never two deliveries of an event at once under a live lease;
# b  none after an accepted one, as long as it is remembered;
# c  after a failure that the sender knows of, the event is not held back;
# d  what is not authentic is refused, and changes nothing;
# e  no claim outlives its request by more than a lease;
# f  no duplicate of what was not accepted, and all is accepted in the end.
#
# Accepted is what the upstream has answered with 2xx if the sender got it, or
# if nginx's worker, not killed before, went on to close the connection without
# having been told that the sender left.
#
# No check depends on the speed of the machine.  What is compared is either the
# order of events here, or the clock nginx itself had when it decided.  A lease
# may run out under a live request if its worker stands still; then the times
# at which the worker is known to have been running are too far apart.
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
use Test::Nginx::Webhook;
use Test::Nginx::Traffic;

use Time::HiRes qw/ time /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $seconds = $ENV{TEST_SECONDS} || ($ENV{CI} ? 60 : 20);
my $seed = defined $ENV{TEST_SEED} ? $ENV{TEST_SEED} : int(rand(2 ** 31));

my $t = Test::Nginx->new()->has(qw/http proxy/)->allow(
	qr/\[alert\] .* exited on signal 9/,
	qr/\[alert\] .* shared memory zone "events" was locked by/,
	qr/\[alert\] .* sendmsg\(\) failed \(32: /)->plan(7);

alarm($seconds + 280) unless $ENV{TEST_NGINX_TIMEOUT};

srand($seed);

my $secret = 'secret-of-nextpay-0123456789';
my $workers = 2 + int(rand(3));
my $reuseport = chance(0.5) ? 'reuseport' : '';

# An event has the same id everywhere, and is another one in each location but
# where there is one key= for several.

my %locations = (
	'/a' => { lease => 3, wait => 0, ignore => 1 },
	'/b' => { lease => 2, wait => 0, ignore => 0 },
	'/c' => { lease => 3, wait => 1000, ignore => 1 },
	'/d' => { lease => 3, wait => 600, ignore => 0, port => 8082 },
	'/next' => { lease => 3, wait => 0, ignore => 1, next => 1 },
	'/one' => { lease => 3, wait => 0, ignore => 1, key => 'both' },
	'/two' => { lease => 3, wait => 500, ignore => 1, key => 'both' },
	'/ttl' => { lease => 2, wait => 0, ignore => 1, ttl => 4 },
);

my @locations = sort keys %locations;

my $conf = <<"EOF";

%%TEST_GLOBALS%%

worker_processes  $workers;

events {
    worker_connections  4096;
}

http {
    %%TEST_GLOBALS_HTTP%%

    log_format  traffic  '\$http_x_attempt \$pid \$status \$webhook_status';
    access_log  %%TESTDIR%%/traffic.log  traffic;

    webhook_dedup_zone  zone=events:4m;

    add_header  X-Pid     \$pid             always;
    add_header  X-Now     \$msec            always;
    add_header  X-Status  \$webhook_status  always;

    proxy_set_header    X-Pid  \$pid;
    proxy_set_header    X-Now  \$msec;
    proxy_read_timeout  5m;

    upstream both {
        server  127.0.0.1:8081  max_fails=0;
        server  127.0.0.1:8082  max_fails=0;
    }

    server {
        listen       127.0.0.1:8080 $reuseport;
        server_name  localhost;

        location / {
            return  204;
        }

%%LOCATIONS%%
    }
}

EOF

my $blocks = join "\n", map { location($_) } @locations;
$conf =~ s/%%LOCATIONS%%\n/$blocks/;

# each step of all these requests is too much to be logged

(my $globals = $t->test_globals()) =~ s/error\.log debug;/error.log notice;/;
$conf =~ s/%%TEST_GLOBALS%%/$globals/;

$t->write_file_expand('nginx.conf', $conf);

my $traffic = Test::Nginx::Traffic->new(
	delivered => \&delivered,
	header => \&header,
	done => \&done,
	reply => \&reply,
);

$traffic->listen($_) foreach 8081, 8082;

diag("seed $seed, $seconds seconds, $workers workers $reuseport");

$t->run();

###############################################################################

# Driving: so many events are under way at a time, each with a sender that
# retries, and with a number of duplicates still to come.

my ($driving, $events, $hanging, $aim) = (1, 0, 0);
my (%events, %killed, %held, %contested, %count);

new_event() foreach 1 .. 70;

every(0.2, 1.5, \&kill_worker);
every(1, 4, \&hold_worker);
every(4, 7, sub { $count{reloads}++; kill 'HUP', $t->master(); });
every(2, 5, sub { refuse(one_of(8081, 8082), 0.1 + rand(0.5)); });

my $till = time() + $seconds;

$traffic->run(sub { time() > $till });

# Then all goes well: what nobody knows to be accepted is sent until it is, and
# of the rest some once more.

$driving = 0;

kill 'CONT', grep { is_worker($_) } keys %held;
$traffic->listen($_) foreach 8081, 8082;

$till = time() + 120;

$traffic->run(sub { !$traffic->busy() or time() > $till });

foreach my $event (values %events) {
	attempt($event) if !$event->{accepted} or $event->{n} % 4 == 0;
}

$traffic->run(sub {
	return 1 if time() > $till;
	return !$traffic->busy() && !$traffic->open_deliveries()
		&& !grep { !$_->{accepted} } values %events;
});

###############################################################################

my (%wrong, %by_key, %running, %logged, %served);

judge();

$count{attempts} = () = $traffic->attempts();
$count{deliveries} = () = $traffic->deliveries();
$count{events} = keys %events;

note("$_: $count{$_}") foreach sort keys %count;

passed('a', 'not delivered twice at once');
passed('b', 'not delivered again when accepted');
passed('c', 'not held back after a failure');
passed('d', 'not authentic, and refused');
passed('e', 'not claimed for longer than a lease');
passed('f', 'nothing lost');
passed('g', 'delivered and answered as it was sent');

###############################################################################

sub location {
	my ($name) = @_;

	my %l = %{$locations{$name}};

	my $dedup = join ' ', 'zone=events', "lease=$l{lease}s",
		map { defined $l{$_} ? "$_=$l{$_}" : () } qw/ key ttl /;
	my $ignore = $l{ignore} ? 'on' : 'off';
	my $pass = $l{next} ? 'both' : '127.0.0.1:' . ($l{port} || 8081);
	my $next = $l{next} ? 'error http_500 http_503 non_idempotent' : 'off';

	return <<"EOF";
        location $name {
            webhook_verify          nextpay;
            webhook_secret          $secret;
            webhook_dedup           $dedup;
            webhook_in_flight_wait  $l{wait}ms;

            proxy_ignore_client_abort  $ignore;
            proxy_next_upstream        $next;
            proxy_pass                 http://$pass;
        }
EOF
}

sub chance {
	my ($p) = @_;
	return rand() < $p;
}

sub one_of {
	return $_[int(rand(@_))];
}

sub every {
	my ($from, $to, $code) = @_;

	$traffic->after($from + rand($to - $from), sub {
		return unless $driving;
		$code->();
		every($from, $to, $code);
	});
}

###############################################################################

# senders

sub new_event {
	my $n = $events++;
	my $location = $locations[$n % @locations];
	my $id = 'evt-' . int($n / @locations);
	my $shared = $locations{$location}{key};

	# locations of one key have one event of that id

	my $key = ($shared || $location) . " $id";

	if ($events{$key}) {
		new_event();
		return;
	}

	my $pad = chance(0.03) ? 'x' x 20000 : '';

	my $event = $events{$key} = {
		n => $n,
		key => $key,
		id => $id,
		uris => [ grep { $_ eq $location
			|| $shared && ($locations{$_}{key} || '') eq $shared }
			@locations ],
		body => qq({"id":"$id","type":"test","pad":"$pad"}),
		tries => 0,
		out => 0,
		accepted => 0,
		duplicates => int(rand(4)),
		patience => 4 + int(rand(10)),
	};

	forge($event) if chance(0.1);
	burst($event, 0.3);
}

sub burst {
	my ($event, $chance) = @_;

	my $n = chance($chance) ? 2 + int(rand(4)) : 1;
	attempt($event) foreach 1 .. $n;
}

sub attempt {
	my ($event) = @_;

	$event->{out}++;
	$event->{tries}++;

	my $a = $traffic->attempt(
		key => $event->{key},
		event => $event,
		uri => one_of(@{$event->{uris}}),
		body => $event->{body},
		hold => $driving && chance(0.1) ? rand(0.2) : 0,
		headers => [ sign('nextpay', $secret, $event->{body}) ],
	);

	return unless $driving;

	if (chance(0.07)) {
		$traffic->after(rand(one_of(0.1, 0.1, 3)), sub {
			return if $a->{done};
			$count{aborted}++;
			$traffic->abort($a);
		});
	}

	# a sender does not wait for ever, and may not care for what it has sent

	$traffic->after(0.3 + rand(1.5), sub {
		return if $a->{done} or !$driving or $event->{out} > 5;
		attempt($event);
		$traffic->abort($a) if chance(0.3);
	});

	forge($event) if chance(0.1);
}

sub forge {
	my ($event) = @_;

	my ($body, @headers) = forgery('nextpay', $secret, $event->{body});

	$count{forged}++;

	$traffic->attempt(
		key => $event->{key},
		event => $event,
		forged => 1,
		uri => one_of(@{$event->{uris}}),
		body => $body,
		headers => \@headers,
	);
}

# some retry without waiting for the end of the answer

sub header {
	my ($a) = @_;

	my $event = $a->{event};

	return if !$driving or $a->{forged} or $event->{out} > 8;

	my $passed = ($a->{answer}{'x-status'} || '') eq 'PASSED';

	attempt($event) if chance($passed ? 0.2 : 0.02);
}

sub done {
	my ($a) = @_;

	return if $a->{forged};

	my $event = $a->{event};

	$event->{out}--;
	$event->{accepted} = 1 if $a->{header} and $a->{status} =~ /^2/;

	return if $event->{out};

	if (!$driving) {
		$traffic->after(0.2, sub { attempt($event) })
			unless $event->{accepted};
		return;
	}

	return if $event->{retired};

	if ($event->{accepted} ? $event->{duplicates}-- <= 0
		: $event->{tries} >= $event->{patience})
	{
		$event->{retired} = 1;

		# some are sent again much later

		$traffic->after(rand(10), sub { attempt($event) if $driving; })
			if chance(0.2);

		new_event();
		return;
	}

	my $delay = one_of(0, 0, 0, rand(0.05), rand(0.3), rand(0.8));

	$traffic->after($delay, sub {
		burst($event, 0.2) if $driving and !$event->{out};
	});
}

###############################################################################

# the upstream

sub delivered {
	my ($d) = @_;

	if (!$driving) {
		$traffic->respond($d, status => 200);
		return;
	}

	if ($aim and $aim eq 'start') {
		$aim = undef;
		shoot($d->{pid});
	}

	my $status = chance(0.6) ? one_of(200, 200, 204)
		: one_of(500, 503, 404, 422, 302, 410, 429);
	my $style = chance(0.65) ? 'whole' : one_of(qw/ split body body
		truncated partial close reset lost /);
	my $delay = chance(0.6) ? 0 : rand(0.3);

	if ($contested{$d->{attempt}{key}}) {
		$delay = rand(4);

	} elsif ($hanging < 15 and chance(0.1)) {
		$hanging++;
		$count{hanging}++;
		$delay = 1 + rand(6);
		$traffic->after($delay, sub { $hanging-- });
	}

	$traffic->respond($d, status => $status, style => $style,
		delay => $delay, pause => rand(one_of(0.05, 0.5, 1.5)));
}

sub reply {
	my ($d, $when, $status) = @_;

	return unless $aim and $aim eq $when and $status =~ /^2/;

	$aim = undef;
	shoot($d->{pid});
}

sub refuse {
	my ($port, $for) = @_;

	$count{refusals}++;
	$traffic->refuse($port);
	$traffic->after($for, sub { $traffic->listen($port) });
}

# A header of 2xx on its way makes no difference to when this is called: what
# a worker did before it died, it did before this.

sub shoot {
	my ($pid) = @_;

	return if !$pid or $held{$pid} or !is_worker($pid);

	$count{kills}++;

	my $seq = $traffic->seq();
	kill 'KILL', $pid;

	$killed{$pid} = { seq => $seq, time => time() };
}

# at a moment of interest, or now

sub kill_worker {
	if (chance(0.7)) {
		$aim = one_of(qw/ start before after after /);
		return;
	}

	$aim = undef;
	shoot(one_of($t->workers()));
}

# The events that a worker has at hand when it is held are asked for until some
# time after it goes on: it is then the late finisher of what others deliver.

sub hold_worker {
	my ($pid) = map { $_->{pid} } one_of($traffic->open_deliveries());

	return if !$pid or $held{$pid} or !is_worker($pid);

	$count{holds}++;
	$held{$pid} = 1;
	kill 'STOP', $pid;

	my $for = 1 + rand(4);

	$traffic->after($for, sub {
		kill 'CONT', $pid if delete $held{$pid} and is_worker($pid);
	});

	foreach my $d ($traffic->open_deliveries()) {
		my $event = $d->{attempt}{event};

		next if $d->{pid} != $pid or $contested{$event->{key}};

		$contested{$event->{key}} = 1;
		contest($event, time() + $for + 2);
	}
}

sub contest {
	my ($event, $till) = @_;

	if (!$driving or time() > $till) {
		delete $contested{$event->{key}};
		return;
	}

	attempt($event) if $event->{out} < 8;

	$traffic->after(0.2 + rand(0.3), sub { contest($event, $till) });
}

sub is_worker {
	my ($pid) = @_;

	open my $fh, '<', "/proc/$pid/stat" or return;
	my $stat = <$fh>;

	return defined $stat && $stat =~ /^\d+ \(.*\) \S (\d+)/s
		&& $1 == $t->master();
}

###############################################################################

sub judge {

	foreach my $line ($t->lines(qr/^\d+ /, name => 'traffic.log')) {
		my ($n, undef, undef, $verdict) = split / /, $line;
		$logged{$n} = $verdict;
	}

	foreach my $a ($traffic->attempts()) {
		push @{$by_key{$a->{key}}{attempts}}, $a;

		my $pid = $a->{header} && $a->{answer}{'x-pid'} or next;

		$a->{verdict} = $a->{answer}{'x-status'} || '';
		$a->{now} = $a->{answer}{'x-now'};

		push @{$running{$pid}}, $a->{now};
		push @{$served{$pid}}, $a;
	}

	foreach my $d ($traffic->deliveries()) {
		push @{$by_key{$d->{attempt}{key}}{deliveries}}, $d;
		push @{$running{$d->{pid}}}, $d->{now};
	}

	@$_ = sort { $a <=> $b } @$_ foreach values %running;

	foreach my $key (sort keys %by_key) {
		my @attempts = @{$by_key{$key}{attempts}};
		my @deliveries = @{$by_key{$key}{deliveries} || []};

		judge_deliveries(@deliveries);
		judge_attempt($_, \@attempts, \@deliveries) foreach @attempts;
	}

	foreach my $event (values %events) {
		wrong('f', "not accepted in the end: $event->{key}")
			unless $event->{accepted};
	}
}

sub judge_deliveries {
	my (@deliveries) = @_;

	foreach my $i (0 .. $#deliveries) {
		my $d = $deliveries[$i];
		my $a = $d->{attempt};

		wrong('d', 'not authentic: ' . told($d)) if $a->{forged};
		wrong('g', 'another body: ' . told($d))
			if $d->{body} ne $a->{body};

		foreach my $j (0 .. $i - 1) {
			judge_pair($deliveries[$j], $d, $j == $i - 1);
		}
	}
}

# The second has begun after the first one, and next if nothing was between.

sub judge_pair {
	my ($first, $second, $next) = @_;

	return if $first->{lapsed};

	my $l = $locations{$first->{attempt}{uri}};
	my $both = told($first) . ' and ' . told($second);

	my $decided = $first->{decided} && $first->{decided} < $second->{start};
	my $result = $decided ? $first->{result} : '';

	return if $result eq 'fail';

	# a worker may stand still when it has claimed an event, and deliver
	# it long after that

	return if $second->{now} < $first->{now}
		and may_lapse($second, $first);

	# what nginx claimed and gave up before, as its sender had left, may be
	# read from its closed connection after what it claimed next

	my $left = $second->{attempt}{aborted};

	return if $second->{now} < $first->{now} and $second->{eof}
		and $left and $left < $first->{start} and !$l->{ignore};

	if (accepted($first)) {

		return if $l->{ttl} and int($second->{now})
			>= int($first->{decided_time}) - 1 + $l->{ttl};

		wrong('b', $both) unless may_lapse($first, $second);
		return;
	}

	return if $result eq 'maybe';

	my $killed = $killed{$first->{pid}};
	my $aborted = $first->{attempt}{aborted};
	my $eof = $first->{eof} && $first->{eof} < $second->{start};

	if ($killed and $killed->{seq} < $second->{start}
		and !($first->{eof} and $first->{eof} < $killed->{seq}))
	{
		return if !$next or taken_between($first, $second);

		# last renewed then, or later

		my $renewed = $killed->{time} - $l->{lease} / 3
			- silence($first->{pid}, $first->{now},
				$killed->{time});

		$renewed = $first->{now} if $renewed < $first->{now};

		# its sender may have left before the worker died

		return if $aborted and $aborted < $second->{start}
			and !$l->{ignore};

		wrong('a', "the lease of a worker that died: $both")
			if int($second->{now}) < int($renewed) + $l->{lease};

		return;
	}

	return if $aborted and $aborted < $second->{start} and !$l->{ignore}
		and $eof;

	wrong('a', $both) unless may_lapse($first, $second);
}

# The sender was told, or nginx has got the answer and nothing kept it from
# noting that.

sub accepted {
	my ($d) = @_;

	my $a = $d->{attempt};

	return if !$d->{decided} or $d->{result} eq 'fail';

	return 1 if $a->{header} and $a->{status} =~ /^2/
		and $d == $a->{deliveries}[-1];

	my $killed = $killed{$d->{pid}};

	return $d->{result} eq 'ok' && $d->{eof} && $d->{eof} > $d->{decided}
		&& !($killed && $killed->{seq} < $d->{eof})
		&& (!$a->{aborted} || $locations{$a->{uri}}{ignore});
}

# Whether the first one's lease may have run out because its worker stood
# still: it is renewed after a third of it, and lasts less by up to a second.

sub may_lapse {
	my ($first, $second) = @_;

	my $lease = $locations{$first->{attempt}{uri}}{lease};

	return if silence($first->{pid}, $first->{now}, $second->{now})
		< $lease - 1 - $lease / 3;

	$count{lapsed}++;

	return $first->{lapsed} = 1;
}

# The longest time for which a worker was not seen to run.

sub silence {
	my ($pid, $from, $to) = @_;

	my $times = $running{$pid};
	my ($low, $high) = (0, scalar @$times);

	while ($low < $high) {
		my $i = int(($low + $high) / 2);
		if ($times->[$i] < $from) { $low = $i + 1 } else { $high = $i }
	}

	my ($longest, $last) = (0, $from);

	for (my $i = $low; $last < $to; $i++) {
		my $time = defined $times->[$i] ? $times->[$i]
			: $killed{$pid} ? $to : $to + 1000;

		$longest = $time - $last if $time - $last > $longest;
		$last = $time;
	}

	return $longest;
}

# Whether somebody whose request did not reach the upstream may have had the
# event between two deliveries.

sub taken_between {
	my ($first, $second) = @_;

	return scalar grep {
		!@{$_->{deliveries}} && may_have_claimed($_)
			&& $_->{start} < $second->{start}
			&& (!$_->{done} || $_->{done} > $first->{start})
	} @{$by_key{$first->{attempt}{key}}{attempts}};
}

sub may_have_claimed {
	my ($a) = @_;

	return if $a->{forged};
	return $a->{verdict} eq 'PASSED' if $a->{header};
	return 1 if @{$a->{deliveries}};

	my $logged = $logged{$a->{n}};

	return !defined $logged || $logged eq 'PASSED';
}

sub judge_attempt {
	my ($a, $attempts, $deliveries) = @_;

	return unless $a->{header};

	my $status = $a->{status};
	my $verdict = $a->{verdict};

	$count{"answered $verdict"}++;

	if ($a->{forged}) {
		wrong('d', told($a))
			if $status != 401 or $verdict ne 'REJECTED';
		return;
	}

	my $d = $a->{deliveries}[-1];

	if ($verdict eq 'PASSED') {

		my $reply = $d && $d->{decided}
			&& $d->{decided} < $a->{header} ? $d->{status} : 0;

		wrong('f', 'not delivered: ' . told($a))
			if $status =~ /^2/ and $status != $reply;

		wrong('g', told($a) . ' of ' . told($d))
			if $reply and $status != $reply
			and $d->{result} eq 'ok';

		return;
	}

	wrong('g', 'delivered: ' . told($a)) if $d;

	if ($verdict eq 'DUPLICATE') {

		wrong('g', told($a)) if $status != 200
			or !$a->{answer}{'webhook-duplicate'};

		wrong('f', 'duplicate of nothing accepted: ' . told($a))
			unless grep { remembered($_, $a) } @$deliveries;

	} elsif ($verdict eq 'IN_FLIGHT') {

		wrong('g', told($a)) if $status != 503
			or !$a->{answer}{'retry-after'};

		my %held = map { holds($_, $a) => 1 } @$attempts;

		wrong($held{over} ? 'e' : 'c', 'held back: ' . told($a))
			unless $held{yes};

	} else {
		wrong('g', told($a));
	}
}

# Whether the delivery may have been accepted before the attempt was answered,
# and may be remembered still.

sub remembered {
	my ($d, $a) = @_;

	return if !$d->{decided} or $d->{decided} > $a->{header}
		or $d->{result} eq 'fail';

	my $ttl = $locations{$a->{uri}}{ttl};
	my $killed = $killed{$d->{pid}};

	# when it was noted at the latest

	my $noted = $d->{eof_time} || $killed && $killed->{time};

	return !$ttl || !$noted || int($a->{now}) < int($noted) + $ttl;
}

# Whether an attempt may be why another one was held back: yes, no, or over if
# its lease had run out.

sub holds {
	my ($other, $a) = @_;

	return 'no' if $other == $a or $other->{start} > $a->{header}
		or !may_have_claimed($other);

	# the outcome is noted before it is answered

	return $other->{header} < $a->{start} ? 'no' : 'yes'
		if $other->{header};

	my $d = $other->{deliveries}[-1];
	my $killed = $d && $killed{$d->{pid}};

	if ($other->{gone} or $killed) {

		my $died = $killed ? $killed->{time} : $other->{gone_time};
		my $lease = $locations{$other->{uri}}{lease};

		return int($a->{now}) < int($died) + $lease ? 'yes' : 'over';
	}

	# The sender has left.  It is over when the upstream's connection is
	# closed and the worker has done what was asked of it after that.

	return 'yes' unless $d and $d->{eof};

	foreach my $later (@{$served{$d->{pid}}}) {
		next unless $later->{start} > $d->{eof};
		return 'no' if $later->{header} < $a->{start};
	}

	return 'yes';
}

###############################################################################

sub told {
	my ($x) = @_;

	my $a = $x->{attempt} || $x;

	my @told = ("$a->{uri} $a->{event}{id} #$a->{n} from $a->{start}");

	push @told, "answered $a->{status} $a->{verdict} at $a->{header}"
		if $a->{header};
	push @told, "aborted at $a->{aborted}" if $a->{aborted};

	if ($x != $a) {
		push @told, "delivered at $x->{start} by $x->{pid} at $x->{now}";
		push @told, "$x->{result} $x->{status} at $x->{decided}"
			if $x->{decided};
		push @told, "eof at $x->{eof}" if $x->{eof};
		push @told, "killed at $killed{$x->{pid}}{seq}"
			if $killed{$x->{pid}};
	}

	return '[' . join(', ', @told) . ']';
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
