package Test::Nginx::Redis;

# (C) ngx_http_webhook_module contributors

# A private redis-server, and a client for it.

###############################################################################

=head1 SYNOPSIS

	my $redis = Test::Nginx::Redis->new(8379);

	is($redis->command('GET', 'key'), undef, 'nothing there');

	$redis->stop();
	$redis->start();

It listens on the test's port of that name, has its files in a folder of its
own, and ends with the test.  Skips the file where there is no redis-server.

=head1 ENVIRONMENT

	TEST_REDIS_BINARY   what to run, a valkey-server perhaps

=cut

###############################################################################

use warnings;
use strict;

use File::Temp qw/ tempdir /;
use IO::Select;
use IO::Socket;
use POSIX qw/ WNOHANG /;
use Scalar::Util qw/ weaken /;
use Test::More qw//;
use Test::Nginx qw/ wait_until /;
use Time::HiRes qw/ sleep time /;

###############################################################################

our @live;

push @Test::Nginx::at_end, sub { $_->kill() foreach grep { $_ } @live; };

###############################################################################

=head1 METHODS

=over

=item new(8379, option => value, ...)

Starts it, with these options of redis.conf besides.  A value may be a list:
the option is repeated.

=cut

sub new {
	my ($class, $num, %opts) = @_;

	my $binary = binary();

	Test::More::plan(skip_all => 'no redis-server found')
		unless defined $binary;

	my $self = bless {
		owner => $$,
		binary => $binary,
		num => $num,
		opts => \%opts,
		dir => tempdir('nginx-redis-XXXXXXXXXX', TMPDIR => 1,
			CLEANUP => 1),
	}, $class;

	push @live, $self;
	weaken($live[-1]);

	return $self->start();
}

sub DESTROY {
	my ($self) = @_;
	local ($?, $@);

	$self->kill() if $self->{owner} == $$;
}

# Debian's redis-tools have the program, under the name of one of its uses; the
# package redis-server, with the same, would start a service.

sub binary {
	return $ENV{TEST_REDIS_BINARY} if defined $ENV{TEST_REDIS_BINARY};

	return (grep { -x $_ } map { ("$_/redis-server", "$_/redis-check-rdb") }
		split /:/, $ENV{PATH} || '')[0];
}

=item start(option => value, ...)

Starts it again, with the options changed.

=item stop(), kill()

Ends it, in good order or not.  What it held is gone, unless an option says
otherwise.

=item hang(), go_on()

It stands still.

=cut

sub start {
	my ($self, %opts) = @_;

	die "redis-server is running already\n" if $self->{pid};

	$self->{opts} = { %{$self->{opts}}, %opts };

	my $port = Test::Nginx::port($self->{num});

	my %conf = (
		bind => '127.0.0.1',
		port => $port,
		dir => $self->{dir},
		unixsocket => "$self->{dir}/socket",
		logfile => "$self->{dir}/log",
		daemonize => 'no',
		save => '""',
		%{$self->{opts}},
	);

	open my $fh, '>', "$self->{dir}/redis.conf"
		or die "Can't create redis.conf: $!\n";

	foreach my $name (sort keys %conf) {
		print $fh "$name $_\n" foreach ref $conf{$name}
			? @{$conf{$name}} : $conf{$name};
	}

	close $fh;

	my $pid = fork();
	die "Unable to fork(): $!\n" unless defined $pid;

	if ($pid == 0) {
		delete $SIG{$_} foreach qw/ INT TERM HUP ALRM PIPE /;

		open STDIN, '<', '/dev/null';
		open STDOUT, '>', "$self->{dir}/out";
		open STDERR, '>&', \*STDOUT;

		my $name = $self->{binary} =~ m!/(redis|valkey)-check-rdb$!
			? "$1-server" : $self->{binary};

		{ no warnings; exec { $self->{binary} }
			$name, "$self->{dir}/redis.conf"; }

		POSIX::_exit(127);
	}

	$self->{pid} = $pid;

	wait_until(sub { $self->_connect(); })
		or die "redis-server did not start: " . $self->log();

	return $self;
}

sub stop {
	my ($self) = @_;
	return $self->_end('TERM');
}

sub kill {
	my ($self) = @_;
	return $self->_end('KILL');
}

sub hang {
	my ($self) = @_;
	CORE::kill('STOP', $self->{pid});
	return $self;
}

sub go_on {
	my ($self) = @_;
	CORE::kill('CONT', $self->{pid});
	return $self;
}

sub _end {
	my ($self, $signal) = @_;

	my $pid = delete $self->{pid} or return $self;

	delete $self->{client};

	CORE::kill($signal, $pid);
	CORE::kill('CONT', $pid);
	waitpid($pid, 0);

	return $self;
}

=item command(name, argument, ...)

Its answer: text, a number, undef, a list; or dies of an error.

=item keys(pattern)

The names of keys, in order; all without a pattern.

=item log()

What it has logged.

=item port(), pid(), dir()

=cut

sub command {
	my ($self, @args) = @_;

	my $c = $self->_connect() or die "can't connect to redis-server: $!\n";

	$c->{out} = join '', '*' . @args . "\r\n",
		map { '$' . length($_) . "\r\n$_\r\n" } @args;

	syswrite($c->{socket}, $c->{out}) == length $c->{out}
		or die "can't write to redis-server: $!\n";

	my $reply = eval { _reply($c) };

	if ($@) {
		delete $self->{client} if $@ eq "redis-server is gone\n";
		die $@;
	}

	return $reply;
}

sub keys {
	my ($self, $pattern) = @_;

	my @keys = sort @{$self->command('KEYS',
		defined $pattern ? $pattern : '*')};

	return @keys;
}

sub log {
	my ($self) = @_;

	my $text = '';

	foreach my $name (qw/ out log /) {
		local $/;

		open my $fh, '<', "$self->{dir}/$name" or next;
		$text .= <$fh> || '';
	}

	return $text;
}

sub port {
	my ($self) = @_;
	return Test::Nginx::port($self->{num});
}

sub pid { return $_[0]{pid}; }
sub dir { return $_[0]{dir}; }

# over the socket of its folder: what the options say of ports and TLS is for
# others

sub _connect {
	my ($self) = @_;

	$self->{client} ||= { in => '', socket =>
		IO::Socket::UNIX->new(Peer => "$self->{dir}/socket") };

	delete $self->{client} unless $self->{client}{socket};

	return $self->{client};
}

sub _reply {
	my ($c) = @_;

	_fill($c) until $c->{in} =~ s/^([-+:\$*])(.*?)\r\n//s;

	my ($type, $text) = ($1, $2);

	return $text if $type eq '+' or $type eq ':';
	die "$text\n" if $type eq '-';
	return if $text < 0;
	return [ map { scalar _reply($c) } 1 .. $text ] if $type eq '*';

	_fill($c) until length $c->{in} >= $text + 2;

	my $value = substr($c->{in}, 0, $text);
	substr($c->{in}, 0, $text + 2) = '';

	return $value;
}

sub _fill {
	my ($c) = @_;

	IO::Select->new($c->{socket})->can_read(10)
		and sysread($c->{socket}, $c->{in}, 65536, length $c->{in})
		or die "redis-server is gone\n";
}

=back

=cut

###############################################################################

1;

###############################################################################
