package Test::Nginx::Traffic;

# (C) ngx_http_webhook_module contributors

# Senders and upstreams in one process and one event loop, so that all that
# they see has one order.

###############################################################################

=head1 SYNOPSIS

	my $traffic = Test::Nginx::Traffic->new(
		delivered => sub {
			my ($d) = @_;
			$traffic->respond($d, status => 200, delay => 0.1);
		},
		header => sub { my ($a) = @_; ... },
		done => sub { my ($a) = @_; ... },
	);

	$traffic->listen(8081);
	$t->run();

	$traffic->attempt(key => 'a', uri => '/hook', body => $body,
		headers => [ [ name => $value ], ... ]);
	$traffic->run(sub { !$traffic->busy() });

What happens is numbered by one counter.  Of two numbers the smaller is of
what this process did or saw first; and what it did before it did another
thing was before all that came of the other.

nginx passes X-Attempt on, and adds its $pid and $msec as X-Pid and X-Now to
what it sends either way.

=head1 ATTEMPTS

A hash for each request sent, the arguments of attempt() among its values:

	n           from 1, sent as X-Attempt
	start       number of its beginning
	header      number, from when the header of the answer was complete
	status, answer { }
	            the answer's status and header, names in lower case
	done        number, from when all was over
	aborted     number, if it was given up by the sender
	gone, gone_time
	            number and time, if the connection ended without an answer
	deliveries  what came of it

=head1 DELIVERIES

A hash for each request that reached an upstream whole:

	attempt     the attempt
	start       number, when it was whole
	pid, now    by whom and when, on the worker's clock, it was proxied
	store       what X-Store says of it
	decided     number, before the last byte of the answer's header was
	            sent, or the connection closed without one
	decided_time
	result      ok, a 2xx status; fail; maybe, a 2xx status that nginx may
	            have lost
	status      what was answered, 0 if the connection was closed
	eof, eof_time
	            number and time, when nginx's end of the connection was
	            seen

=cut

###############################################################################

use warnings;
use strict;

use IO::Handle;
use POSIX qw/ EAGAIN ECONNREFUSED EINPROGRESS EINTR /;
use Socket qw/ IPPROTO_TCP PF_INET SOCK_STREAM SOL_SOCKET SOMAXCONN
	SO_LINGER SO_REUSEADDR TCP_NODELAY inet_aton pack_sockaddr_in /;
use Test::Nginx qw//;
use Test::Nginx::Traffic::HTTP2;
use Time::HiRes qw/ time /;

###############################################################################

=head1 METHODS

=over

=item new(%opts)

delivered, header, done, reply: called with the delivery or the attempt they
are about; reply also with 'before' or 'after' and a status, before and after
it is sent.

=cut

sub new {
	my ($class, %opts) = @_;

	my $self = bless {
		%opts,
		seq => 0,
		read => {},
		write => {},
		rin => '',
		win => '',
		timers => [],
		listen => {},
		attempts => {},
		deliveries => {},
		sent => 0,
		received => 0,
		open => {},
		busy => {},
		idle => {},
		sockets => {},
	}, $class;

	push @Test::Nginx::at_end, sub { $self->stop() };

	return $self;
}

sub seq { return ++$_[0]{seq}; }
sub attempts { return _by_number($_[0]{attempts}); }
sub deliveries { return _by_number($_[0]{deliveries}); }
sub busy { return scalar keys %{$_[0]{busy}}; }

sub open_deliveries {
	my ($self) = @_;
	return map { values %$_ } values %{$self->{open}};
}

sub _by_number {
	my ($all) = @_;
	return @{$all}{sort { $a <=> $b } keys %$all};
}

=item after(seconds, code)

=item run(code)

Until the code, called again and again, returns true.

=cut

sub after {
	my ($self, $delay, $code) = @_;

	my $timers = $self->{timers};
	my $time = time() + $delay;
	my ($low, $high) = (0, scalar @$timers);

	while ($low < $high) {
		my $i = int(($low + $high) / 2);
		if ($timers->[$i][0] <= $time) { $low = $i + 1 } else { $high = $i }
	}

	splice @$timers, $low, 0, [ $time, $code ];

	return;
}

sub run {
	my ($self, $over) = @_;

	my $timers = $self->{timers};

	until ($over->()) {
		my $now = time();
		my $wait = 0.05;

		while (@$timers and $timers->[0][0] <= $now) {
			(shift @$timers)->[1]->();
		}

		$wait = $timers->[0][0] - $now
			if @$timers and $timers->[0][0] - $now < $wait;
		$wait = 0 if $wait < 0;

		my $n = select(my $r = $self->{rin}, my $w = $self->{win},
			undef, $wait);
		next unless $n > 0;

		# a handler may close the socket of another one

		foreach my $fd (grep { vec($w, $_, 1) } keys %{$self->{write}}) {
			my $code = $self->{write}{$fd} or next;
			$code->();
		}

		foreach my $fd (grep { vec($r, $_, 1) } keys %{$self->{read}}) {
			my $code = $self->{read}{$fd} or next;
			$code->();
		}
	}

	return;
}

=item stop()

Closes all that is open; done at the end of the test.

=cut

sub stop {
	my ($self) = @_;

	$self->_close_socket($_) foreach values %{$self->{sockets}};
	$self->{listen} = {};

	return;
}

sub _watch {
	my ($self, $fh, $what, $code) = @_;

	my $fd = fileno($fh);
	my $bits = $what eq 'read' ? 'rin' : 'win';

	$self->{sockets}{$fd} = $fh;
	$self->{$what}{$fd} = $code;
	vec($self->{$bits}, $fd, 1) = 1;

	return;
}

sub _forget {
	my ($self, $fh, $what) = @_;

	my $fd = fileno($fh);
	my $bits = $what eq 'read' ? 'rin' : 'win';

	delete $self->{$what}{$fd};
	vec($self->{$bits}, $fd, 1) = 0;

	return;
}

sub _close {
	my ($self, $c) = @_;

	my $fh = delete $c->{socket} or return;

	$self->_close_socket($fh);

	return;
}

sub _close_socket {
	my ($self, $fh) = @_;

	$self->_forget($fh, 'read');
	$self->_forget($fh, 'write');
	delete $self->{sockets}{fileno($fh)};
	close $fh;

	return;
}

# bytes read, 0 at the end, undef if there is nothing yet

sub _read {
	my ($c) = @_;

	while (1) {
		my $n = sysread($c->{socket}, $c->{in}, 65536, length $c->{in});
		return $n if defined $n;

		next if $! == EINTR;
		return if $! == EAGAIN;
		return 0;
	}
}

# Writes what there is to write; who cannot will be told so when it reads.

sub _flush {
	my ($self, $c) = @_;

	while (length $c->{out}) {
		my $n = syswrite($c->{socket}, $c->{out});

		if (!defined $n) {
			next if $! == EINTR;

			if ($! == EAGAIN) {
				$self->_watch($c->{socket}, 'write',
					sub { $self->_flush($c) });
				return;
			}

			$c->{out} = '';
			last;
		}

		substr($c->{out}, 0, $n) = '';
	}

	$self->_forget($c->{socket}, 'write');

	return;
}

###############################################################################

=item attempt(%opts)

Sends a request, and returns the attempt.  key names the event, anything else
is kept.

	uri, body, headers
	method      POST
	port        8080
	hold        the last byte is not sent before so many seconds are over
	pieces      so many bytes, one by one until then
	keepalive   1: on a connection that another one has left open, if there
	            is one
	h2          1: by HTTP/2, beside others, see Test::Nginx::Traffic::HTTP2

=item abort(attempt)

The sender leaves.

=item hang_up()

Connections that are left open and not in use are closed.

=item forget(attempt)

It is over, and so is what came of it.

=cut

sub attempt {
	my ($self, %opts) = @_;

	my $a = { %opts, n => ++$self->{sent}, start => $self->seq(),
		deliveries => [], in => '', out => '' };

	$self->{attempts}{$a->{n}} = $a;
	$self->{busy}{$a->{n}} = $a;

	return Test::Nginx::Traffic::HTTP2::attempt($self, $a) if $a->{h2};

	my $idle = $self->{idle}{$a->{port} || 8080} ||= {};
	my ($fd) = $a->{keepalive} ? sort keys %$idle : ();
	my $s = defined $fd ? delete $idle->{$fd} : $self->_connect($a->{port});

	my $method = $a->{method} || 'POST';
	my $request = join("\r\n", "$method $a->{uri} HTTP/1.1",
		'Host: localhost', $a->{keepalive} ? () : 'Connection: close',
		"X-Attempt: $a->{n}", 'Content-Length: ' . length $a->{body},
		map({ "$_->[0]: $_->[1]" } @{$a->{headers}}), '', $a->{body});

	$a->{socket} = $s;

	if ($a->{hold}) {
		my $n = $a->{held} = $a->{pieces} || 1;
		my @last = split //, substr $request, -$n, $n, '';

		foreach my $i (1 .. $n) {
			$self->after($a->{hold} * $i / $n, sub {
				return unless $a->{socket};
				$a->{held}--;
				$a->{out} .= $last[$i - 1];
				$self->_flush($a) unless $self->{write}{fileno($s)};
			});
		}
	}

	$a->{out} = $request;

	$self->_watch($s, 'write', sub { $self->_flush($a) });
	$self->_watch($s, 'read', sub { $self->_answer($a) });

	return $a;
}

# refused at once: seen when it is read from

sub _connect {
	my ($self, $port) = @_;

	socket(my $s, PF_INET, SOCK_STREAM, IPPROTO_TCP)
		or die "Can't make a socket: $!\n";
	$s->blocking(0);
	setsockopt($s, IPPROTO_TCP, TCP_NODELAY, 1);

	connect($s, pack_sockaddr_in(Test::Nginx::port($port || 8080),
			inet_aton('127.0.0.1')))
		or $! == EINPROGRESS or $! == ECONNREFUSED
		or die "Can't connect: $!\n";

	return $s;
}

sub hang_up {
	my ($self) = @_;

	foreach my $idle (values %{$self->{idle}}) {
		$self->_close_socket($_) foreach values %$idle;
		%$idle = ();
	}

	Test::Nginx::Traffic::HTTP2::hang_up($self);

	return;
}

sub forget {
	my ($self, $a) = @_;

	delete $self->{attempts}{$a->{n}};
	delete $self->{deliveries}{$_->{n}} foreach @{$a->{deliveries}};
	$a->{deliveries} = [];

	return;
}

sub abort {
	my ($self, $a) = @_;

	return if $a->{done};

	$a->{aborted} = $self->seq();
	Test::Nginx::Traffic::HTTP2::abort($self, $a) if $a->{h2};
	$self->_done($a);

	return;
}

sub _answer {
	my ($self, $a) = @_;

	return Test::Nginx::Traffic::HTTP2::answer($self, $a->{conn}) if $a->{h2};
	return unless $a->{socket};

	my $n = _read($a);
	return unless defined $n;

	if (!$a->{header} and $a->{in} =~ s/^(.*?)\r\n\r\n//s) {
		my ($line, @lines) = split /\r\n/, $1;

		$a->{header} = $self->seq();
		($a->{status}) = $line =~ m!^HTTP/1\.1 (\d+)!;
		$a->{answer} = { map { /^(\S+): (.*)/ ? (lc $1 => $2) : () }
			@lines };

		$self->{header}->($a) if $self->{header};
		return unless $a->{socket};
	}

	my $length = !$a->{header} ? undef : $a->{status} == 204 ? 0
		: $a->{answer}{'content-length'};

	$self->_leave_open($a) if $n and $a->{keepalive} and defined $length
		and length $a->{in} == $length;

	if ($n == 0 or defined $length and length $a->{in} >= $length) {
		if (!$a->{header}) {
			$a->{gone} = $self->seq();
			$a->{gone_time} = time();
		}

		$self->_done($a);
	}

	return;
}

# for the next one, unless one of the two has more to say

sub _leave_open {
	my ($self, $a) = @_;

	return if length $a->{out} or $a->{held}
		or ($a->{answer}{connection} || '') eq 'close';

	my $s = delete $a->{socket};
	my $idle = $self->{idle}{$a->{port} || 8080};

	$idle->{fileno($s)} = $s;

	$self->_watch($s, 'read', sub {
		delete $idle->{fileno($s)};
		$self->_close_socket($s);
	});

	return;
}

sub _done {
	my ($self, $a) = @_;

	return if $a->{done};

	$self->_close($a);
	delete $a->{$_} foreach qw/ in out /;
	delete $self->{busy}{$a->{n}};

	$a->{done} = $self->seq();

	$self->{done}->($a) if $self->{done};

	return;
}

###############################################################################

=item listen(8081)

=item refuse(8081)

An upstream on the test's port of that name, and no more: what was accepted
stays.

=cut

sub listen {
	my ($self, $num) = @_;

	return if $self->{listen}{$num};

	socket(my $s, PF_INET, SOCK_STREAM, IPPROTO_TCP)
		or die "Can't make a socket: $!\n";
	$s->blocking(0);
	setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1);

	bind($s, pack_sockaddr_in(Test::Nginx::port($num),
			inet_aton('127.0.0.1')))
		and CORE::listen($s, SOMAXCONN) or die "Can't listen: $!\n";

	$self->{listen}{$num} = $s;

	$self->_watch($s, 'read', sub { $self->_accept($s) });

	return;
}

sub refuse {
	my ($self, $num) = @_;

	my $s = delete $self->{listen}{$num} or return;

	$self->_accept($s);
	$self->_close_socket($s);

	return;
}

sub _accept {
	my ($self, $s) = @_;

	while (accept(my $fh, $s)) {
		my $c = { socket => $fh, in => '', out => '' };

		$fh->blocking(0);
		setsockopt($fh, IPPROTO_TCP, TCP_NODELAY, 1);

		$self->_watch($fh, 'read', sub { $self->_request($c) });
	}

	return;
}

sub _request {
	my ($self, $c) = @_;

	return unless $c->{socket};

	my $n = _read($c);
	return unless defined $n;

	if ($n == 0) {
		$self->_eof($c);
		return;
	}

	return if $c->{delivery};
	return unless $c->{in} =~ /^(.*?\r\n)\r\n(.*)$/s;

	my ($head, $body) = ($1, $2);
	my ($length) = $head =~ /^Content-Length: (\d+)/mi;

	return if length $body < ($length || 0);

	my ($number) = $head =~ /^X-Attempt: (\d+)/mi;
	my ($pid) = $head =~ /^X-Pid: (\d+)/mi;
	my ($now) = $head =~ /^X-Now: ([\d.]+)/mi;
	my ($store) = $head =~ /^X-Store: (\w+)/mi;

	my $a = $number && $self->{attempts}{$number}
		or die "Whose request is this?\n$head\n";

	# All that nginx did before it made this request can be seen by now:
	# that it closed other connections, that it answered.

	foreach my $d (values %{$self->{open}{$a->{key}}}) {
		$self->_answer($d->{attempt});
		$self->_request($d->{conn}) if $d->{conn};
	}

	my $d = {
		n => $self->{received}++,
		attempt => $a,
		start => $self->seq(),
		pid => $pid || 0,
		now => $now || 0,
		store => $store || '',
		body => $body,
		conn => $c,
	};

	$c->{delivery} = $d;
	$c->{in} = '';

	$self->{deliveries}{$d->{n}} = $d;
	push @{$a->{deliveries}}, $d;
	$self->{open}{$a->{key}}{$d->{n}} = $d;

	$self->{delivered}->($d);

	return;
}

sub _eof {
	my ($self, $c) = @_;

	my $d = $c->{delivery};

	if ($d) {
		$d->{eof} = $self->seq();
		$d->{eof_time} = time();
		$self->_end($d);
	}

	$self->_close($c);

	return;
}

sub _end {
	my ($self, $d) = @_;

	my $open = $self->{open}{$d->{attempt}{key}};

	delete $open->{$d->{n}};
	delete $self->{open}{$d->{attempt}{key}} unless %$open;
	delete $d->{conn};

	return;
}

=item respond(delivery, status => 200, delay => 0.1, style => 'whole')

Answers it, later, unless nginx does not wait for an answer any more:

	whole      header and body at once
	split      the header in two pieces, "pause" between them
	body       the header, and the body after the pause
	truncated  the header, half of the body, and the end
	partial    half of the header, and the end
	close      the end
	reset      likewise, with a RST
	lost       header and body, and a RST at once

=cut

sub respond {
	my ($self, $d, %opts) = @_;

	if ($opts{delay}) {
		my $delay = delete $opts{delay};
		$self->after($delay, sub { $self->respond($d, %opts) });
		return;
	}

	my $c = $self->_still($d) or return;

	my $style = $opts{style} || 'whole';
	my $status = $opts{status};
	my $pause = $opts{pause} || 0;

	my $header = "HTTP/1.1 $status Status\r\nContent-Type: text/plain\r\n"
		. ($status == 204 ? '' : "Content-Length: 8\r\n")
		. "Connection: close\r\n\r\n";
	my $body = $status == 204 ? '' : 'answered';

	if ($style eq 'close' or $style eq 'reset') {
		$self->_decide($d, 0);
		$self->_hang_up($d, $style eq 'reset');

	} elsif ($style eq 'partial') {
		$self->_send($d, substr($header, 0, 20));
		$self->after($pause, sub {
			$self->_still($d) or return;
			$self->_decide($d, 0);
			$self->_hang_up($d);
		});

	} elsif ($style eq 'split') {
		$self->_send($d, substr($header, 0, 20));
		$self->after($pause, sub {
			$self->_still($d) or return;
			$self->_decide($d, $status);
			$self->_send($d, substr($header, 20) . $body);
			$self->{reply}->($d, 'after', $status)
				if $self->{reply};
		});

	} else {
		$self->{reply}->($d, 'before', $status) if $self->{reply};
		$self->_decide($d, $status, $style eq 'lost');

		my $now = $style eq 'body' ? ''
			: $style eq 'truncated' ? substr($body, 0, 4) : $body;

		$self->_send($d, $header . $now);
		$self->{reply}->($d, 'after', $status) if $self->{reply};

		if ($style eq 'lost' or $style eq 'truncated') {
			$self->_hang_up($d, $style eq 'lost');

		} elsif ($style eq 'body') {
			$self->after($pause, sub { $self->_send($d, $body) });
		}
	}

	return;
}

# its connection, if nginx has not closed it

sub _still {
	my ($self, $d) = @_;

	$self->_request($d->{conn}) if $d->{conn};

	return $d->{conn};
}

sub _decide {
	my ($self, $d, $status, $lost) = @_;

	$d->{decided} = $self->seq();
	$d->{decided_time} = time();
	$d->{status} = $status;
	$d->{result} = $status !~ /^2/ ? 'fail' : $lost ? 'maybe' : 'ok';

	return;
}

sub _send {
	my ($self, $d, $bytes) = @_;

	my $c = $d->{conn} or return;

	$c->{out} .= $bytes;
	$self->_flush($c);

	return;
}

sub _hang_up {
	my ($self, $d, $reset) = @_;

	my $c = $d->{conn} or return;

	setsockopt($c->{socket}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0))
		if $reset;

	$self->_close($c);
	$self->_end($d);

	return;
}

=back

=cut

###############################################################################

1;

###############################################################################
