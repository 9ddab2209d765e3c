package Test::Nginx::Client;

# (C) ngx_http_webhook_module contributors

# A connection to nginx that sends exactly what it is told, in the pieces it
# is told, and reads one response at a time.

###############################################################################

=head1 SYNOPSIS

	my $c = Test::Nginx::Client->new(port => 8080);

	$c->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n");
	$c->send('{}');

	my $r = $c->response();

	is($r->{status}, 200, 'status');
	is($r->header('X-Id'), 'a', 'header');

	ok(!$c->closed(0.1), 'kept alive');

=cut

###############################################################################

use warnings;
use strict;

use IO::Select;
use IO::Socket;
use Scalar::Util qw/ weaken /;
use Socket qw/ IPPROTO_TCP SOL_SOCKET SO_LINGER TCP_NODELAY /;
use Test::Nginx qw//;
use Time::HiRes qw/ time sleep /;

###############################################################################

our @live;

push @Test::Nginx::at_end, sub { $_->close() foreach grep { $_ } @live; };

###############################################################################

=head1 METHODS

=over

=item new(port => 8080)

Connects to the port of that name on 127.0.0.1, or to C<< peer => 'ip:port' >>
or C<< unix => path >>.

=cut

sub new {
	my ($class, %opts) = @_;

	my $socket = defined $opts{unix}
		? IO::Socket::UNIX->new(Peer => $opts{unix})
		: IO::Socket::INET->new(
			Proto => 'tcp',
			PeerAddr => $opts{peer} || '127.0.0.1:'
				. Test::Nginx::port($opts{port} || 8080)
		);

	die "Can't connect: $!\n" unless $socket;

	setsockopt($socket, IPPROTO_TCP, TCP_NODELAY, 1)
		unless defined $opts{unix};
	$socket->blocking(0);

	my $self = bless { socket => $socket, in => '' }, $class;

	@live = grep { $_ } @live;
	push @live, $self;
	weaken($_) foreach @live;

	return $self;
}

=item send(bytes, ...)

Sends each as a piece of its own, C<pause()> between.  False if the server
has closed or takes nothing for 20 seconds.

=item pause(seconds)

Time for the server to read what was sent, 5 ms unless told.  Nothing may
depend on it but how much the server sees at once.

=cut

sub send {
	my ($self, @pieces) = @_;

	my $first = 1;

	foreach my $piece (@pieces) {
		$self->pause() unless $first;
		$first = 0;

		Test::Nginx::log_out($piece);
		$self->_send($piece) or return;
	}

	return $self;
}

sub _send {
	my ($self, $bytes) = @_;

	my $socket = $self->{socket} or return;
	my $offset = 0;

	local $SIG{PIPE} = 'IGNORE';

	while ($offset < length $bytes) {
		my $n = syswrite($socket, $bytes, 262144, $offset);

		if (defined $n) {
			$offset += $n;
			next;
		}

		next if $!{EINTR};
		return unless $!{EAGAIN};

		# the server may answer before it has read everything

		my ($r, $w) = IO::Select->select(IO::Select->new($socket),
			IO::Select->new($socket), undef, 20);

		return unless $w;
		next if @$w;
		return if !$self->_fill(0) and $self->{eof};
		sleep 0.001;
	}

	return 1;
}

sub pause {
	my ($self, $seconds) = @_;
	sleep(defined $seconds ? $seconds : 0.005);
	return $self;
}

=item response(timeout => 20, head => 1, interim => 1)

The next response, a Test::Nginx::Response; undef if the server has closed or
sends none in time.  C<head>: it answers a HEAD.  C<interim>: 1xx are returned
too, else they are gathered in C<< {interim} >>.

	status, reason, version
	headers    [ [ name, value ], ... ]
	header('name')  its value; in list context, all of them
	body       decoded if chunked
	raw        all bytes of it
	complete   0 if the connection ended in the middle of it
	client     this connection

=cut

sub response {
	my ($self, %opts) = @_;

	my $till = time() + ($opts{timeout} || 20);
	my @interim;

	while (1) {
		my $r = $self->_response($till, %opts) or return;

		if ($r->{status} =~ /^1../ and $r->{status} ne '101'
			and !$opts{interim})
		{
			push @interim, $r;
			next;
		}

		$r->{interim} = \@interim;
		Test::Nginx::log_in($r->{raw});

		return $r;
	}
}

sub _response {
	my ($self, $till, %opts) = @_;

	while ($self->{in} !~ /\r?\n\r?\n/) {
		$self->_fill($till - time()) or return;
	}

	$self->{in} =~ s/^(.*?\r?\n)(\r?\n)//s;
	my ($head, $raw) = ($1, $1 . $2);

	my ($line, @lines) = split /\r?\n/, $head;

	my $r = bless { raw => $raw, body => '', headers => [],
		client => $self, complete => 1 }, 'Test::Nginx::Response';

	@$r{qw/ version status reason /}
		= $line =~ m!^HTTP/(\S+) (\d\d\d) ?(.*)$!;
	die "not a response: $line\n" unless defined $r->{status};

	foreach (@lines) {
		my ($name, $value) = /^([^:]*):\s*(.*?)\s*$/s;
		push @{$r->{headers}}, [ $name, $value ];
	}

	return $r if $opts{head} or $r->{status} =~ /^(?:1..|204|304)$/;

	my $chunked = lc($r->header('Transfer-Encoding') || '') eq 'chunked';
	my $length = $r->header('Content-Length');

	if ($chunked) {
		$self->_chunks($r, $till) or $r->{complete} = 0;

	} else {
		while (!defined $length or length $self->{in} < $length) {
			next if $self->_fill($till - time());

			$r->{complete} = 0 if defined $length or !$self->{eof};
			last;
		}

		$length = length $self->{in} if !defined $length
			or $length > length $self->{in};

		$r->{body} = substr($self->{in}, 0, $length, '');
		$r->{raw} .= $r->{body};
	}

	return $r;
}

sub _chunks {
	my ($self, $r, $till) = @_;

	my $trailer = 0;

	while (1) {
		my $line = $self->_line($r, $till);
		return unless defined $line;

		if ($trailer) {
			return 1 if $line =~ /^\r?\n$/;
			next;
		}

		my $size = hex($line =~ /^([0-9a-f]+)/i ? $1 : 0);

		if ($size == 0) {
			$trailer = 1;
			next;
		}

		while (length $self->{in} < $size) {
			$self->_fill($till - time()) or return;
		}

		my $chunk = substr($self->{in}, 0, $size, '');
		$r->{raw} .= $chunk;
		$r->{body} .= $chunk;

		defined $self->_line($r, $till) or return;
	}
}

sub _line {
	my ($self, $r, $till) = @_;

	while ($self->{in} !~ /\n/) {
		$self->_fill($till - time()) or return;
	}

	$self->{in} =~ s/^([^\n]*\n)//;
	$r->{raw} .= $1;

	return $1;
}

sub _fill {
	my ($self, $timeout) = @_;

	return if $self->{eof} or !$self->{socket};

	$timeout = 0 if $timeout < 0;

	return unless IO::Select->new($self->{socket})->can_read($timeout);

	my $n = sysread($self->{socket}, $self->{in}, 262144,
		length $self->{in});

	return 1 if $n or !defined $n and ($!{EAGAIN} or $!{EINTR});

	$self->{eof} = 1;
	$self->{reset} = 1 if !defined $n;

	return;
}

=item closed(timeout)

True once the server has closed, with everything it sent read; false if it
has not within the time (2 s), or sends something instead.

=item rest()

Bytes that were received and belong to no response taken so far.

=item half_close(), close(), abort()

Ends the sending direction; closes; closes with a RST.

=item socket()

=cut

sub closed {
	my ($self, $timeout) = @_;

	my $till = time() + (defined $timeout ? $timeout : 2);

	while (!$self->{eof} and $self->{in} eq '' and $self->{socket}) {
		last if !$self->_fill($till - time()) and !$self->{eof};
	}

	return 1 if ($self->{eof} or !$self->{socket}) and $self->{in} eq '';
	return;
}

sub rest {
	my ($self) = @_;

	1 while $self->_fill(0);

	return $self->{in};
}

sub half_close {
	my ($self) = @_;
	shutdown($self->{socket}, 1);
	return $self;
}

sub close {
	my ($self) = @_;

	my $socket = delete $self->{socket};
	CORE::close($socket) if $socket;

	return $self;
}

sub abort {
	my ($self) = @_;

	setsockopt($self->{socket}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0));

	return $self->close();
}

sub socket {
	my ($self) = @_;
	return $self->{socket};
}

=back

=cut

###############################################################################

package Test::Nginx::Response;

sub header {
	my ($self, $name) = @_;

	my @values = map { $_->[1] }
		grep { lc $_->[0] eq lc $name } @{$self->{headers}};

	return wantarray ? @values : $values[0];
}

###############################################################################

1;

###############################################################################
