package Test::Nginx::Upstream;

# (C) ngx_http_webhook_module contributors

# An upstream that records whatever reaches it and answers as it is told.

###############################################################################

=head1 SYNOPSIS

	my $u = Test::Nginx::Upstream->new(8081);

	$u->answer(204);
	$u->script(500, 'reset', { status => 200, body => 'x' });
	$u->on(qr!^/slow!, 'hang');

	... requests ...

	is($u->count(), 1, 'one request');
	is($u->last()->{body}, $body, 'body');

It runs in a process of its own, on the test's port of that name, and is
ready when new() returns.  A question to it is answered only after everything
that had arrived was recorded.

=head1 WHAT IS RECORDED

A hash for each request, in order of arrival, from its first byte on:

	n         order of arrival, from 1
	conn      number of its connection, from 1
	time      when its first byte arrived
	method, uri, version ('1.1')
	headers   [ [ name, value ], ... ] as sent
	body      exact bytes (chunks put together)
	state     head, body, complete: how much of it has arrived
	lost      1 if the connection ended before it was complete
	outcome   answered, hanging, reset, closed, cut; gone if the client
	          left first; empty if there is none yet

Test::Nginx::Upstream::header($request, 'name') is the value of a header,
undef if there is none; in list context, all the values.

=head1 BEHAVIOURS

	204                 that status
	{ status => 200, reason => 'OK', headers => [ [ k, v ], ... ],
	  body => '...', chunked => 1, close => 1, delay => seconds }
	{ raw => '...' }    these bytes, and the end
	'hang'              no answer until release()
	'headers_then_hang' header and half the body until release()
	'headers_then_close' header, half the body, then the end
	'close'             the connection is closed without an answer
	'reset'             likewise, with a RST

A hash may have type => 'hang' and so on: its status, headers and body are
then what is sent, in the end or in part; cut => n tells after how many bytes
the part ends, which may be in the header.

=cut

###############################################################################

use warnings;
use strict;

use base qw/ Test::Nginx::Process /;

use IO::Select;
use IO::Socket;
use Socket qw/ IPPROTO_TCP SOL_SOCKET SO_LINGER TCP_NODELAY /;
use Test::Nginx qw//;
use Test::Nginx::Process qw/ read_message write_message /;
use Time::HiRes qw/ time /;

###############################################################################

=head1 METHODS

=over

=item new(8081)

Starts it; listens on 127.0.0.1, port(8081).

=cut

sub new {
	my ($class, $num) = @_;

	$num = 8081 unless defined $num;

	my $listen = IO::Socket::INET->new(
		Proto => 'tcp',
		LocalAddr => '127.0.0.1',
		LocalPort => Test::Nginx::port($num),
		Listen => 1024,
		Reuse => 1
	)
		or die "Can't listen: $!\n";

	my $self = Test::Nginx::Process::start($class,
		sub { _serve($listen, @_) }, num => $num);

	close $listen;

	return $self;
}

=item answer(behaviour)

For all requests that nothing else is said about; 200 at first.

=item script(behaviour, ...)

For the next requests, one each, in the order in which they are complete;
added to what is still there.

=item on(qr/uri/, behaviour, ...)

For requests with such a URI, before script().  Several: one each, the last
stays.  on(qr/uri/) without any removes it.

=item release(n, behaviour)

Lets the n oldest that hang go, all of them without n; with an answer of
their own or the one given.  Returns how many.

=cut

sub answer {
	my ($self, $behaviour) = @_;
	$self->_ask(answer => $behaviour);
	return $self;
}

sub script {
	my ($self, @behaviours) = @_;
	$self->_ask(script => @behaviours);
	return $self;
}

sub on {
	my ($self, $re, @behaviours) = @_;
	$self->_ask(on => "$re", @behaviours);
	return $self;
}

sub release {
	my ($self, $n, $behaviour) = @_;
	return $self->_ask(release => $n, $behaviour);
}

=item requests()

The list of records.

=item count()

How many requests have arrived, complete or not.

=item connections()

How many connections, with or without a request.

=item last()

The last record, undef if none.

=item hanging()

How many hang now.

=item wait_for(n, timeout => 10)

Waits until n requests have arrived complete, in all since reset(); false if
they have not.

=item wait_gone(n, timeout => 10)

Waits until n requests have been left by the client before they were answered
in full.

=item reset()

Forgets the records and connections, the script and on(), and closes what
hangs; the answer is 200 again.

=item port()

=item stop()

=cut

sub requests {
	my ($self) = @_;
	return @{$self->_ask('requests')};
}

sub last {
	my ($self) = @_;
	return $self->_ask('last');
}

sub count {
	my ($self) = @_;
	return $self->_ask('count');
}

sub connections {
	my ($self) = @_;
	return $self->_ask('connections');
}

sub hanging {
	my ($self) = @_;
	return $self->_ask('hanging');
}

sub wait_for {
	my ($self, $n, %opts) = @_;
	return $self->_ask(wait => 'complete', $n, $opts{timeout} || 10);
}

sub wait_gone {
	my ($self, $n, %opts) = @_;
	return $self->_ask(wait => 'gone', $n, $opts{timeout} || 10);
}

sub reset {
	my ($self) = @_;
	$self->_ask('reset');
	return $self;
}

sub port {
	my ($self) = @_;
	return Test::Nginx::port($self->{num});
}

sub header {
	my ($request, $name) = @_;

	my @values = map { $_->[1] }
		grep { lc $_->[0] eq lc $name } @{$request->{headers} || []};

	return wantarray ? @values : $values[0];
}

=back

=cut

###############################################################################

# The process.  $s is its whole state; $c a connection: socket, input and
# output bytes, the request being read, the one being answered.

sub _serve {
	my ($listen, $control) = @_;

	my $s = {
		listen => $listen,
		control => $control,
		conns => {},
		select => IO::Select->new($listen, $control),
		wait => undef,
	};

	_reset($s);

	$listen->blocking(0);

	while (1) {
		my $timeout = _timers($s);

		my @w = map { $_->{socket} }
			grep { length $_->{out} } values %{$s->{conns}};

		my ($r, $w) = IO::Select->select($s->{select},
			@w ? IO::Select->new(@w) : undef, undef, $timeout);

		_events($s, $r, $w);

		my $asked = grep { $_ == $control } @{$r || []};

		if ($s->{wait}) {

			# who waits does not ask: the test is gone

			return if $asked;

			_check_wait($s);

		} elsif ($asked) {
			my $question = read_message($control) or return;

			# all that arrived before the question is part of
			# the answer

			1 while _drain($s);

			my $value = eval { _question($s, @$question); };

			write_message($control, { value => $value,
				error => $@ ? $@ : undef })
				unless $s->{wait};

			_check_wait($s) if $s->{wait};
		}
	}
}

sub _drain {
	my ($s) = @_;

	$s->{select}->remove($s->{control});

	my ($r) = IO::Select->select($s->{select}, undef, undef, 0);
	my $any = $r && @$r;
	_events($s, $r, []) if $any;

	$s->{select}->add($s->{control});

	return $any;
}

sub _events {
	my ($s, $r, $w) = @_;

	foreach my $fh (@{$r || []}) {
		if ($fh == $s->{listen}) {
			_accept($s);

		} elsif ($fh != $s->{control}) {
			my $c = $s->{conns}{fileno($fh) || -1} or next;
			_read($s, $c);
		}
	}

	foreach my $fh (@{$w || []}) {
		my $c = $s->{conns}{fileno($fh) || -1} or next;
		_write($s, $c);
	}
}

sub _accept {
	my ($s) = @_;

	while (my $socket = $s->{listen}->accept()) {
		$socket->blocking(0);
		setsockopt($socket, IPPROTO_TCP, TCP_NODELAY, 1);

		$s->{conns}{fileno($socket)} = {
			socket => $socket,
			n => ++$s->{connections},
			in => '',
			out => '',
		};
		$s->{select}->add($socket);
	}
}

sub _close {
	my ($s, $c) = @_;

	return if $c->{closed};

	$c->{closed} = 1;
	$s->{select}->remove($c->{socket});
	delete $s->{conns}{fileno($c->{socket})};
	close $c->{socket};
}

sub _abort {
	my ($s, $c) = @_;

	setsockopt($c->{socket}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0));
	_close($s, $c);
}

sub _read {
	my ($s, $c) = @_;

	my $n = sysread($c->{socket}, $c->{in}, 262144, length $c->{in});

	return if !defined $n and ($!{EAGAIN} or $!{EINTR});

	if (!$n) {
		my $r = $c->{request};

		$r->{lost} = 1 if $r and $r->{state} ne 'complete';
		$c->{answering}{outcome} = 'gone' if $c->{answering};

		_close($s, $c);
		return;
	}

	_parse($s, $c);
}

# one request is read and answered at a time

sub _parse {
	my ($s, $c) = @_;

	while (!$c->{closed} and !$c->{last} and !$c->{answering}
		and length $c->{in})
	{
		my $r = $c->{request};

		if (!$r) {
			$r = $c->{request} = {
				n => scalar @{$s->{requests}} + 1,
				conn => $c->{n},
				time => time(),
				headers => [],
				body => '',
				state => 'head',
				outcome => '',
				lost => 0,
			};
			push @{$s->{requests}}, $r;
		}

		if ($r->{state} eq 'head') {
			$c->{in} =~ s/^(.*?\r?\n)\r?\n//s or return;
			_head($c, $r, $1);
		}

		_body($c, $r) or return;

		$r->{state} = 'complete';
		$s->{complete}++;
		delete $c->{request};

		_answer($s, $c, $r);
	}
}

sub _head {
	my ($c, $r, $head) = @_;

	my ($line, @lines) = split /\r?\n/, $head;

	@$r{qw/ method uri version /} = $line =~ m!^(\S+) (.*) HTTP/(\S+)$!;
	@$r{qw/ method uri version /} = ('', $line, '')
		unless defined $r->{method};

	foreach (@lines) {
		my ($name, $value) = /^([^:]*):[ \t]*(.*?)[ \t]*$/s;
		push @{$r->{headers}}, defined $name ? [ $name, $value ] : [ $_, '' ];
	}

	$c->{chunked} = lc(header($r, 'Transfer-Encoding') || '') eq 'chunked';
	$c->{rest} = header($r, 'Content-Length') || 0;
	$c->{trailer} = 0;
	$r->{state} = 'body';
}

sub _body {
	my ($c, $r) = @_;

	while (1) {
		if ($c->{rest}) {
			my $piece = substr($c->{in}, 0, $c->{rest}, '');
			$r->{body} .= $piece;
			$c->{rest} -= length $piece;
			return if $c->{rest};
			$c->{crlf} = $c->{chunked};
		}

		return 1 unless $c->{chunked};

		if ($c->{crlf}) {
			$c->{in} =~ s/^\r?\n// or return;
			$c->{crlf} = 0;
		}

		$c->{in} =~ s/^(.*?)\r?\n// or return;

		if ($c->{trailer}) {
			return 1 if $1 eq '';

		} else {
			$c->{rest} = hex($1 =~ /^([0-9a-f]+)/i ? $1 : 0);
			$c->{trailer} = 1 if $c->{rest} == 0;
		}
	}
}

sub _behaviour {
	my ($b) = @_;

	return { %$b } if ref $b;
	return { status => $b } if $b =~ /^\d+$/;
	return { type => $b };
}

sub _answer {
	my ($s, $c, $r) = @_;

	my $b;

	foreach my $on (@{$s->{on}}) {
		next unless $r->{uri} =~ $on->{re};
		my $list = $on->{behaviours};
		$b = @$list > 1 ? shift @$list : $list->[0];
		last;
	}

	$b = shift @{$s->{script}} if !defined $b and @{$s->{script}};
	$b = $s->{answer} unless defined $b;
	$b = _behaviour($b);

	$c->{answering} = $r;
	$c->{behaviour} = $b;

	if ($b->{delay}) {
		push @{$s->{timers}}, [ time() + $b->{delay}, $c ];
		return;
	}

	_act($s, $c);
}

sub _act {
	my ($s, $c) = @_;

	my ($b, $r) = @$c{qw/ behaviour answering /};
	my $type = $b->{type} || 'answer';

	if ($type eq 'close') {
		$r->{outcome} = 'closed';
		_close($s, $c);
		return;
	}

	if ($type eq 'reset') {
		$r->{outcome} = 'reset';
		_abort($s, $c);
		return;
	}

	if ($type eq 'hang') {
		$r->{outcome} = 'hanging';
		$c->{rest_out} = undef;
		return;
	}

	my $bytes = _response($c, $r, $b);

	if ($type =~ /^headers_then_(hang|close)$/) {
		my $hang = $1 eq 'hang';
		my $head = index($bytes, "\r\n\r\n") + 4;
		my $half = defined $b->{cut} ? $b->{cut}
			: $head + int((length($bytes) - $head) / 2);

		$c->{out} .= substr($bytes, 0, $half);
		$r->{outcome} = $hang ? 'hanging' : 'cut';

		if ($hang) {
			$c->{rest_out} = substr($bytes, $half);

		} else {
			$c->{last} = 1;
			delete $c->{answering};
		}

		_write($s, $c);
		return;
	}

	die "unknown behaviour $type\n" unless $type eq 'answer';

	$c->{out} .= $bytes;
	_done($s, $c);
}

sub _response {
	my ($c, $r, $b) = @_;

	if (defined $b->{raw}) {
		$c->{last} = 1;
		return $b->{raw};
	}

	my $status = defined $b->{status} ? $b->{status} : 200;
	my $body = defined $b->{body} ? $b->{body} : "upstream\n";
	my $empty = $status =~ /^(?:1..|204|304)$/;

	my @headers = map { [ @$_ ] } @{$b->{headers} || []};

	my $connection = lc(header($r, 'Connection') || '');
	$c->{last} = $b->{close} || $connection eq 'close'
		|| ($r->{version} ne '1.1' && $connection ne 'keep-alive');

	push @headers, [ 'Connection', $c->{last} ? 'close' : 'keep-alive' ];

	if ($empty) {
		$body = '';

	} elsif ($b->{chunked}) {
		push @headers, [ 'Transfer-Encoding', 'chunked' ];
		$body = sprintf("%x\r\n%s\r\n0\r\n\r\n", length $body, $body);

	} else {
		push @headers, [ 'Content-Length', length $body ];
	}

	$body = '' if ($r->{method} || '') eq 'HEAD';

	my $reason = defined $b->{reason} ? $b->{reason}
		: $status < 300 ? 'OK' : $status < 400 ? 'Redirect' : 'Error';

	return "HTTP/1.1 $status $reason\r\n"
		. join('', map { "$_->[0]: $_->[1]\r\n" } @headers)
		. "\r\n" . $body;
}

sub _done {
	my ($s, $c) = @_;

	$c->{answering}{outcome} = 'answered';
	delete $c->{answering};
	delete $c->{behaviour};

	_write($s, $c);
	_parse($s, $c);
}

sub _write {
	my ($s, $c) = @_;

	while (length $c->{out}) {
		my $n = syswrite($c->{socket}, $c->{out});

		if (!defined $n) {
			return if $!{EAGAIN};
			next if $!{EINTR};

			$c->{answering}{outcome} = 'gone' if $c->{answering};
			_close($s, $c);
			return;
		}

		substr($c->{out}, 0, $n) = '';
	}

	_close($s, $c) if $c->{last} and !$c->{answering};
}

sub _timers {
	my ($s) = @_;

	my $now = time();
	my (@later, $timeout);

	my @timers = @{$s->{timers}};
	$s->{timers} = [];

	foreach my $timer (@timers) {
		my ($at, $c) = @$timer;
		next if $c->{closed};

		if ($at <= $now) {
			_act($s, $c);
			next;
		}

		push @later, $timer;
	}

	push @{$s->{timers}}, @later;

	foreach my $at ((map { $_->[0] } @{$s->{timers}}),
		$s->{wait} ? $s->{wait}{till} : ())
	{
		my $left = $at - $now;
		$left = 0 if $left < 0;
		$timeout = $left if !defined $timeout or $left < $timeout;
	}

	return $timeout;
}

###############################################################################

# questions of the test

sub _reset {
	my ($s) = @_;

	_close($s, $_) foreach grep { $_->{answering} or $_->{request} }
		values %{$s->{conns}};

	@$s{qw/ requests script on timers /} = ([], [], [], []);
	@$s{qw/ connections complete answer /} = (0, 0, 200);
}

sub _hanging {
	my ($s) = @_;

	my @hanging = sort { $a->{answering}{n} <=> $b->{answering}{n} }
		grep { $_->{answering} && $_->{answering}{outcome} eq 'hanging' }
		values %{$s->{conns}};

	return @hanging;
}

sub _question {
	my ($s, $what, @args) = @_;

	if ($what eq 'requests') {
		return $s->{requests};

	} elsif ($what eq 'last') {
		return $s->{requests}[-1];

	} elsif ($what eq 'count') {
		return scalar @{$s->{requests}};

	} elsif ($what eq 'connections') {
		return $s->{connections};

	} elsif ($what eq 'hanging') {
		return scalar _hanging($s);

	} elsif ($what eq 'answer') {
		_check_behaviours(@args);
		$s->{answer} = $args[0];

	} elsif ($what eq 'script') {
		_check_behaviours(@args);
		push @{$s->{script}}, @args;

	} elsif ($what eq 'on') {
		my ($re, @behaviours) = @args;
		_check_behaviours(@behaviours);

		@{$s->{on}} = grep { $_->{text} ne $re } @{$s->{on}};
		push @{$s->{on}}, { text => $re, re => qr/$re/,
			behaviours => \@behaviours } if @behaviours;

	} elsif ($what eq 'release') {
		return _release($s, @args);

	} elsif ($what eq 'reset') {
		_reset($s);

	} elsif ($what eq 'wait') {
		my ($event, $n, $timeout) = @args;
		$s->{wait} = { event => $event, n => $n,
			till => time() + $timeout };
	}

	return 1;
}

sub _check_behaviours {
	foreach my $b (map { _behaviour($_) } @_) {
		my $type = $b->{type} || 'answer';
		die "unknown behaviour $type\n" unless $type =~ /^(?:answer|hang|
			headers_then_hang|headers_then_close|close|reset)$/x;
	}
}

sub _release {
	my ($s, $n, $behaviour) = @_;

	_check_behaviours($behaviour) if defined $behaviour;

	my @hanging = _hanging($s);
	@hanging = @hanging[0 .. $n - 1] if defined $n and $n < @hanging;

	foreach my $c (@hanging) {
		if (defined $behaviour) {
			my $b = _behaviour($behaviour);

			# what was begun can only be ended

			if (defined $c->{rest_out} and !$b->{type}) {
				$b = $c->{behaviour};

			} else {
				$c->{behaviour} = $b;
				_act($s, $c);
				next;
			}
		}

		$c->{out} .= defined $c->{rest_out} ? delete $c->{rest_out}
			: _response($c, $c->{answering}, $c->{behaviour});

		_done($s, $c);
	}

	return scalar @hanging;
}

sub _check_wait {
	my ($s) = @_;

	my $wait = $s->{wait};

	my $n = $wait->{event} eq 'complete' ? $s->{complete}
		: scalar grep { $_->{outcome} eq 'gone' } @{$s->{requests}};

	return if $n < $wait->{n} and time() < $wait->{till};

	$s->{wait} = undef;

	write_message($s->{control}, { value => $n >= $wait->{n} ? 1 : 0 });
}

###############################################################################

1;

###############################################################################
