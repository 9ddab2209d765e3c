package Test::Nginx::Store;

# (C) ngx_http_webhook_module contributors

# What stands between nginx and a redis-server: it records the commands, and
# does to them and to their answers what it is told.

###############################################################################

=head1 SYNOPSIS

	my $redis = Test::Nginx::Redis->new(8379);
	my $store = Test::Nginx::Store->new(8380, 8379);

	$store->once(qr/^SET \S+ p:/, 'lost');
	$store->on(qr/^PING/, { reply => "-LOADING\r\n" });

	... requests ...

	is($store->count(qr/^EVAL/), 1, 'freed');

It runs in a process of its own and listens on the test's port of that name.
What nothing is said about is passed on.

=head1 WHAT IS RECORDED

A hash for each command, in order of arrival:

	n         order of arrival, from 1
	conn      number of its connection, from 1
	time      when it had arrived
	text      its words, with a blank between
	args      [ its words ]
	reply     the bytes of the answer, that of redis-server if it was asked
	answered  when that was known

=head1 BEHAVIOURS

	'hang'      not executed, no answer until release()
	'lost'      executed, but no answer until release()
	'close'     not executed, and the connection is closed
	'reset'     likewise, with a RST
	'late'      executed, and the connection closed instead of the answer

	{ reply => bytes }
	            not executed, and answered so
	{ reply => bytes, executed => 1 }
	{ delay => seconds }
	            executed, the answer comes so much later, and those behind
	            it with it
	{ before => seconds }
	            executed so much later
	{ cut => n }
	            executed, n bytes of the answer are sent, then the
	            connection is closed
	{ cut => n, hang => 1 }
	            and no more
	{ pieces => 1 }
	            the answer is sent byte by byte
	{ append => bytes }
	            sent behind the answer
	{ half_close => 1 }
	            the connection is shut down for writing behind the answer

=cut

###############################################################################

use warnings;
use strict;

use base qw/ Test::Nginx::Process /;

use IO::Select;
use IO::Socket;
use Socket qw/ IPPROTO_TCP SHUT_WR SOL_SOCKET SO_LINGER TCP_NODELAY /;
use Test::Nginx qw//;
use Test::Nginx::Process qw/ read_message write_message /;
use Time::HiRes qw/ time /;

###############################################################################

our %NAMED = (
	hang => { hang => 1 },
	lost => { hang => 1, executed => 1 },
	close => { close => 1 },
	reset => { reset => 1 },
	late => { close => 1, executed => 1 },
);

###############################################################################

=head1 METHODS

=over

=item new(8380, 8379)

Listens on the first port, and passes on to the second.

=cut

sub new {
	my ($class, $num, $to) = @_;

	my $port = Test::Nginx::port($num);
	my $server = Test::Nginx::port($to);

	my $listen = _listen($port);

	my $self = Test::Nginx::Process::start($class,
		sub { _serve($port, $server, $listen, @_) }, num => $num);

	close $listen;

	return $self;
}

=item on(qr/text/, behaviour, ...)

For commands with such a text; one each, the last stays.  Without a behaviour
it is as if nothing had been said.

=item once(qr/text/, behaviour, ...)

For the next ones, one each.  Goes before on().

=item release()

Lets all that hangs go.  Returns how many.

=item stall(1), stall(0)

Nothing is passed on any more, in either direction; and then it is.

=item refuse(), listen()

No connections are accepted; and then they are.

=item cut('reset')

Closes all connections; with a RST if that is said.

=item commands(qr/text/), count(qr/text/)

The records; those with such a text if there is one.

=item wait_for(qr/text/, n, timeout => 10)

Waits until so many have arrived, in all since reset(); false if they have
not.

=item connections(), open()

How many connections there were since reset(), and are now.

=item reset()

Forgets the records, and all that was said about commands; what hangs, goes.

=item port()

=cut

sub on {
	my ($self, $re, @behaviours) = @_;
	$self->_ask(on => "$re", map { _behaviour($_) } @behaviours);
	return $self;
}

sub once {
	my ($self, $re, @behaviours) = @_;
	$self->_ask(once => "$re", map { _behaviour($_) } @behaviours);
	return $self;
}

sub release { return $_[0]->_ask('release'); }
sub stall { $_[0]->_ask(stall => $_[1]); return $_[0]; }
sub refuse { $_[0]->_ask('refuse'); return $_[0]; }
sub listen { $_[0]->_ask('listen'); return $_[0]; }
sub cut { $_[0]->_ask(cut => $_[1]); return $_[0]; }
sub reset { $_[0]->_ask('reset'); return $_[0]; }
sub connections { return $_[0]->_ask('connections'); }
sub open { return $_[0]->_ask('open'); }
sub port { return Test::Nginx::port($_[0]{num}); }

sub commands {
	my ($self, $re) = @_;
	return @{$self->_ask(commands => defined $re ? "$re" : '')};
}

sub count {
	my ($self, $re) = @_;
	return scalar $self->commands($re);
}

sub wait_for {
	my ($self, $re, $n, %opts) = @_;
	return $self->_ask(wait => "$re", $n, $opts{timeout} || 10);
}

=back

=cut

sub _behaviour {
	my ($b) = @_;

	$b = $NAMED{$b} || die "unknown behaviour $b\n" unless ref $b;

	return $b;
}

###############################################################################

# The process.  $s is its whole state; $c a pair of connections: sockets,
# input and output of each, the commands that redis-server has not answered,
# and those that nginx was not answered.

sub _listen {
	my ($port) = @_;

	return IO::Socket::INET->new(Proto => 'tcp', LocalAddr => '127.0.0.1',
		LocalPort => $port, Listen => 1024, Reuse => 1, Blocking => 0)
		|| die "Can't listen: $!\n";
}

sub _serve {
	my ($port, $server, $listen, $control) = @_;

	my $s = {
		port => $port,
		server => $server,
		listen => $listen,
		control => $control,
		conns => {},
		numbers => 0,
	};

	_reset($s);

	while (1) {
		my $timeout = 1;

		foreach my $c (values %{$s->{conns}}) {
			my $next = _answer($s, $c);
			$timeout = $next if $next < $timeout;
		}

		my $r = IO::Select->new($control, $s->{listen} || ());
		my $w = IO::Select->new();

		foreach my $c ($s->{stalled} ? () : values %{$s->{conns}}) {
			$r->add($c->{client}, $c->{server});
			$w->add($c->{client}) if length $c->{out};
			$w->add($c->{server}) if length $c->{sout};
		}

		my ($readable, $writable) = IO::Select->select($r, $w, undef,
			$s->{wait} && $timeout > 0.05 ? 0.05 : $timeout);

		my %ready = map { fileno($_) => 1 } @{$readable || []};
		my %free = map { fileno($_) => 1 } @{$writable || []};

		foreach my $c (values %{$s->{conns}}) {
			_write($s, $c, 'server', 'sout')
				if $free{fileno($c->{server})};
			_write($s, $c, 'client', 'out')
				if !$c->{closed} && $free{fileno($c->{client})};
			_commands($s, $c)
				if !$c->{closed} && $ready{fileno($c->{client})};
			_replies($s, $c)
				if !$c->{closed} && $ready{fileno($c->{server})};
		}

		_accept($s) if $s->{listen} && $ready{fileno($s->{listen})};

		if ($s->{wait}) {

			# who waits does not ask: the test is gone

			return if $ready{fileno($control)};
			_check_wait($s);

		} elsif ($ready{fileno($control)}) {
			my $question = read_message($control) or return;

			my $value = eval { _question($s, @$question); };

			write_message($control, { value => $value,
				error => $@ ? $@ : undef })
				unless $s->{wait};

			_check_wait($s) if $s->{wait};
		}
	}
}

sub _reset {
	my ($s) = @_;

	@$s{qw/ commands on once /} = ([], [], []);
	@$s{qw/ connections stalled /} = (0, 0);

	_release($s);
}

sub _release {
	my ($s) = @_;

	my $n = 0;

	foreach my $command (map { @{$_->{queue}} } values %{$s->{conns}}) {
		$n += delete $command->{b}{hang} || 0;

		@$command{qw/ reply answered /} = ("-ERR not executed\r\n", time())
			if !$command->{forwarded} && !defined $command->{reply};
	}

	return $n;
}

sub _accept {
	my ($s) = @_;

	while (my $client = $s->{listen}->accept()) {
		$s->{connections}++;

		my $server = IO::Socket::INET->new(Proto => 'tcp',
			PeerAddr => "127.0.0.1:$s->{server}") or next;

		foreach my $socket ($client, $server) {
			$socket->blocking(0);
			setsockopt($socket, IPPROTO_TCP, TCP_NODELAY, 1);
		}

		my $n = ++$s->{numbers};

		$s->{conns}{$n} = {
			n => $n, client => $client, server => $server,
			in => '', out => '', sin => '', sout => '',
			waiting => [], queue => [],
		};
	}
}

sub _close {
	my ($s, $c, $reset) = @_;

	return if $c->{closed};

	$c->{closed} = 1;
	delete $s->{conns}{$c->{n}};

	setsockopt($c->{client}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0))
		if $reset;

	close $c->{client};
	close $c->{server};
}

sub _write {
	my ($s, $c, $socket, $name) = @_;

	my $n = syswrite($c->{$socket}, $c->{$name}, $c->{pieces}
		&& $name eq 'out' ? 1 : length $c->{$name});

	if (!$n) {
		_close($s, $c) unless $!{EAGAIN} or $!{EINTR};
		return;
	}

	substr($c->{$name}, 0, $n) = '';
}

sub _read {
	my ($s, $c, $socket, $name) = @_;

	my $n = sysread($c->{$socket}, $c->{$name}, 262144,
		length $c->{$name});

	return 1 if $n or !defined $n and ($!{EAGAIN} or $!{EINTR});

	# what redis-server has sent is passed on before the end

	if ($socket eq 'server') {
		$c->{eof} = 1;
		_answer($s, $c);
		_write($s, $c, 'client', 'out') if length $c->{out}
			and !$c->{closed};
	}

	_close($s, $c);

	return;
}

# commands, as nginx sends them

sub _commands {
	my ($s, $c) = @_;

	_read($s, $c, 'client', 'in') or return;

	while (my $args = _command($c)) {
		my $text = join ' ', @$args;

		my $command = {
			n => @{$s->{commands}} + 1,
			conn => $c->{n},
			time => time(),
			args => $args,
			text => $text,
			bytes => join('', '*' . @$args . "\r\n",
				map { '$' . length($_) . "\r\n$_\r\n" } @$args),
			b => { %{_rule($s, $text) || {}} },
		};

		push @{$s->{commands}}, $command;
		push @{$c->{queue}}, $command;

		my $b = $command->{b};
		@$command{qw/ reply answered /} = ($b->{reply}, time())
			if defined $b->{reply};

		my $executed = $b->{executed} || !(defined $b->{reply}
			|| $b->{close} || $b->{reset}
			|| $b->{hang} && !defined $b->{cut});

		if ($executed and $b->{before}) {
			$command->{due} = time() + $b->{before};

		} elsif ($executed) {
			_forward($c, $command);
		}
	}
}

sub _forward {
	my ($c, $command) = @_;

	$command->{forwarded} = 1;
	push @{$c->{waiting}}, $command;
	$c->{sout} .= $command->{bytes};
}

sub _command {
	my ($c) = @_;

	return unless length $c->{in};

	my $in = $c->{in};

	$in =~ s/^\*(\d+)\r\n// or return _garbage($c);

	my @args;

	foreach (1 .. $1) {
		$in =~ s/^\$(\d+)\r\n// or return _garbage($c);
		return if length $in < $1 + 2;

		push @args, substr($in, 0, $1);
		substr($in, 0, $1 + 2) = '';
	}

	$c->{in} = $in;

	return \@args;
}

# the beginning of a command, or none

sub _garbage {
	my ($c) = @_;

	return if $c->{in} =~ /^\*\d*\r?(?:\n(?:\$\d+\r\n.*)?(?:\$\d*\r?)?)?\z/s;

	my $garbage = $c->{in};
	$c->{in} = '';

	return [ 'GARBAGE', $garbage ];
}

sub _rule {
	my ($s, $text) = @_;

	foreach my $rule (@{$s->{once}}) {
		next unless @{$rule->{behaviours}} and $text =~ $rule->{re};
		return shift @{$rule->{behaviours}};
	}

	foreach my $rule (@{$s->{on}}) {
		next unless $text =~ $rule->{re};

		my $all = $rule->{behaviours};
		return @$all > 1 ? shift @$all : $all->[0];
	}

	return;
}

# answers, as redis-server sends them

sub _replies {
	my ($s, $c) = @_;

	_read($s, $c, 'server', 'sin') or return;

	while (@{$c->{waiting}}) {
		my $length = _length($c->{sin}, 0) or last;

		my $reply = substr($c->{sin}, 0, $length, '');
		my $command = shift @{$c->{waiting}};

		$command->{answered} = time();
		$command->{reply} = $reply
			unless defined $command->{b}{reply};
	}
}

sub _length {
	my ($in, $from) = @_;

	my $end = index $in, "\r\n", $from;
	return if $end < 0;

	my ($type, $n) = (substr($in, $from, 1),
		substr($in, $from + 1, $end - $from - 1));

	$end += 2;

	if ($type eq '$' and $n >= 0) {
		$end += $n + 2;

	} elsif ($type eq '*') {
		foreach (1 .. $n) {
			$end = _length($in, $end) or return;
		}
	}

	return if $end > length $in;
	return $end;
}

# What can be said to nginx, in order; returns when there may be more to say.

sub _answer {
	my ($s, $c) = @_;

	my $now = time();
	my $next = 1;

	return $next if $s->{stalled};

	foreach my $command (@{$c->{queue}}) {
		my $due = $command->{due} or next;
		next if $command->{forwarded};

		if ($due <= $now) {
			_forward($c, $command);

		} elsif ($due - $now < $next) {
			$next = $due - $now;
		}
	}

	while (my $command = $c->{queue}[0]) {
		my $b = $command->{b};

		if ($b->{close} or $b->{reset}) {
			last if $b->{executed} and !defined $command->{reply};
			return $next if length $c->{out};

			_close($s, $c, $b->{reset});
			return $next;
		}

		last if !defined $command->{reply};
		last if $b->{hang} and !defined $b->{cut};
		last if $command->{cut};

		if ($b->{delay}) {
			my $left = $command->{answered} + $b->{delay} - $now;

			if ($left > 0) {
				$next = $left if $left < $next;
				last;
			}
		}

		$c->{pieces} = $b->{pieces};

		my $reply = $command->{reply};

		if (defined $b->{cut}) {
			$c->{out} .= substr($reply, 0, $b->{cut});
			$command->{cut} = 1;

			last if $b->{hang};

			_write($s, $c, 'client', 'out') if length $c->{out};
			_close($s, $c);
			return $next;
		}

		$c->{out} .= $reply . (defined $b->{append} ? $b->{append} : '');

		if ($b->{half_close}) {
			_write($s, $c, 'client', 'out');
			shutdown($c->{client}, SHUT_WR) unless $c->{closed};
		}

		shift @{$c->{queue}};

		# byte by byte, and nothing behind it meanwhile

		last if $b->{pieces};
	}

	return $next;
}

###############################################################################

sub _question {
	my ($s, $what, @args) = @_;

	if ($what eq 'commands') {
		return _matching($s, @args);

	} elsif ($what eq 'on' or $what eq 'once') {
		my ($re, @behaviours) = @args;

		@{$s->{$what}} = grep { $_->{text} ne $re } @{$s->{$what}};
		push @{$s->{$what}}, { text => $re, re => qr/$re/,
			behaviours => \@behaviours } if @behaviours;

	} elsif ($what eq 'release') {
		return _release($s);

	} elsif ($what eq 'stall') {
		$s->{stalled} = $args[0];

	} elsif ($what eq 'refuse') {
		close delete $s->{listen} if $s->{listen};

	} elsif ($what eq 'listen') {
		$s->{listen} ||= _listen($s->{port});

	} elsif ($what eq 'cut') {
		_close($s, $_, $args[0]) foreach values %{$s->{conns}};

	} elsif ($what eq 'connections') {
		return $s->{connections};

	} elsif ($what eq 'open') {
		return scalar keys %{$s->{conns}};

	} elsif ($what eq 'reset') {
		_reset($s);

	} elsif ($what eq 'wait') {
		my ($re, $n, $timeout) = @args;
		$s->{wait} = { re => $re, n => $n, till => time() + $timeout };
	}

	return 1;
}

sub _matching {
	my ($s, $re) = @_;

	return [ map { my %c = %$_; delete @c{qw/ b bytes /}; \%c }
		grep { $re eq '' or $_->{text} =~ /$re/ } @{$s->{commands}} ];
}

sub _check_wait {
	my ($s) = @_;

	my $wait = $s->{wait};
	my $enough = @{_matching($s, $wait->{re})} >= $wait->{n};

	return unless $enough or time() > $wait->{till};

	$s->{wait} = undef;

	write_message($s->{control}, { value => $enough ? 1 : 0 });
}

###############################################################################

1;

###############################################################################
