package Test::Nginx::Process;

# (C) ngx_http_webhook_module contributors

# What tests play beside nginx runs in a process of its own, which is asked
# over a control connection.

###############################################################################

=head1 SYNOPSIS

	use base qw/ Test::Nginx::Process /;
	use Test::Nginx::Process qw/ read_message write_message /;

	my $self = Test::Nginx::Process::start($class,
		sub { my ($control) = @_; ... }, %members);

	$self->_ask(question => @arguments);

The code is the process: it reads each question with read_message(control),
and writes { value => ... } or { error => 'text' } with write_message().  It
ends when there is no question any more: then the test is gone.

=cut

###############################################################################

use warnings;
use strict;

use base qw/ Exporter /;

our @EXPORT_OK = qw/ read_message write_message /;

use IO::Handle;
use POSIX qw//;
use Scalar::Util qw/ weaken /;
use Socket qw/ AF_UNIX PF_UNSPEC SOCK_STREAM /;
use Storable qw/ nfreeze thaw /;
use Test::Nginx qw//;

###############################################################################

our @live;

push @Test::Nginx::at_end, sub { $_->stop() foreach grep { $_ } @live; };

###############################################################################

sub start {
	my ($class, $serve, %self) = @_;

	socketpair(my $control, my $peer, AF_UNIX, SOCK_STREAM, PF_UNSPEC)
		or die "Can't make a socket pair: $!\n";

	my $pid = fork();
	die "Unable to fork(): $!\n" unless defined $pid;

	if ($pid == 0) {
		$SIG{$_} = 'DEFAULT' foreach qw/ INT TERM HUP ALRM /;
		$SIG{PIPE} = 'IGNORE';
		alarm(0);

		# what belongs to the test must end with it

		close $control;
		close $_->{control} foreach grep { $_ && $_->{pid} } @live;
		delete $_->{lock} foreach values %Test::Nginx::ports;
		open STDOUT, '>', '/dev/null';

		eval { $serve->($peer); };
		print STDERR "$class: $@" if $@;

		POSIX::_exit($@ ? 1 : 0);
	}

	close $peer;

	my $self = bless {
		%self,
		pid => $pid,
		owner => $$,
		control => $control,
	}, $class;

	push @live, $self;
	weaken($live[-1]);

	return $self;
}

sub DESTROY {
	my ($self) = @_;
	local ($?, $@);

	$self->stop() if $self->{owner} == $$;
}

sub stop {
	my ($self) = @_;

	return unless $self->{pid};

	# it ends with its control connection

	close $self->{control};
	waitpid($self->{pid}, 0);
	delete $self->{pid};
}

sub _ask {
	my ($self, @question) = @_;

	die ref($self) . " is stopped\n" unless $self->{pid};

	write_message($self->{control}, \@question);

	my $reply = read_message($self->{control})
		or die ref($self) . " is gone\n";

	die $reply->{error} if defined $reply->{error};

	return $reply->{value};
}

###############################################################################

# messages over the control connection: length, then frozen data

sub write_message {
	my ($fh, $data) = @_;

	my $bytes = nfreeze($data);
	$bytes = pack('N', length $bytes) . $bytes;

	while (length $bytes) {
		my $n = syswrite($fh, $bytes);
		next if !defined $n and $!{EINTR};
		die "nobody is there: $!\n" unless $n;
		substr($bytes, 0, $n) = '';
	}
}

sub read_message {
	my ($fh) = @_;

	my $bytes = '';
	my $need = 4;

	while (length $bytes < $need) {
		my $n = sysread($fh, $bytes, $need - length $bytes,
			length $bytes);
		next if !defined $n and $!{EINTR};
		return unless $n;

		$need = 4 + unpack('N', $bytes) if length $bytes == 4;
	}

	return thaw(substr($bytes, 4));
}

###############################################################################

1;

###############################################################################
