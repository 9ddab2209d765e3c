package Webhook::Check::Nginx;

# (C) ngx_http_webhook_module contributors

# The private nginx: it is started on sockets in a folder of its own, asked
# where a request goes and what the module says of it, and removed with its
# folder.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;

our @EXPORT_OK = qw/ start start_probes end_guards judge right locate /;

use Errno qw/ EINTR /;
use File::Path qw/ remove_tree /;
use IO::Select;
use IO::Socket::UNIX;
use JSON::PP qw//;
use POSIX qw/ _exit setsid WNOHANG /;
use Socket qw/ SOCK_STREAM /;
use Time::HiRes qw/ sleep time /;

use Webhook::Check::Output qw/ CONFIGURATION NO_NGINX %opt fail warning /;
use Webhook::Check::Replica qw/ write_conf /;
use Webhook::Check::System qw/ run slurp /;

my (%started, @guards);

END {
	my $status = $?;
	end_guards();
	$? = $status;
}

###############################################################################

# Writes a configuration in which the live places, and probes, which verify
# with other schemes and secrets, listen on sockets of their own; starts it.

sub start {
	my ($live, @probes) = @_;

	my %private = (live => $live, probes => \@probes, missing => {});

	guard(\%private);

	for (1 .. 200) {
		write_conf(\%private);

		local %ENV = (%ENV, %{$private{env}});
		delete $ENV{NGINX};

		my ($status, $out) = run($live->{nginx}, '-t', nginx_args(\%private));

		last if $status == 0;

		my ($line) = $out =~ /\[emerg\].* in \S+:(\d+)$/m;

		if ($out =~ /unknown "(\w+)" variable/
			&& !$private{missing}{$1}++)
		{
			# it belongs to a module that does not run here

			warning("\$$1 is taken for empty here");
			next;
		}

		# not every probe makes a configuration

		my ($wrong) = defined $line ? grep { !$_->{off}
			&& $line >= $_->{from} && $line <= $_->{to} } @probes : ();

		fail(CONFIGURATION, "the configuration that was taken over is"
			. " refused\n$out") unless $wrong;

		$wrong->{off} = 1;
	}

	local %ENV = (%ENV, %{$private{env}});
	delete $ENV{NGINX};

	$private{guard}->(exec => $live->{nginx}, nginx_args(\%private));

	my $deadline = time() + 15;

	until (connect_to(\%private, $private{ready})) {
		fail(NO_NGINX, "nginx did not start\n"
			. join '', map { slurp("$private{dir}/$_") || '' }
				qw/ out error.log /) if time() > $deadline;
		sleep 0.01;
	}

	return \%private;
}

# requests to one place share the nginx with its probes

sub start_probes {
	my ($live, $probes) = @_;

	my $n = 0;

	$_->{n} = $n++ foreach @$probes;

	my $key = JSON::PP->new()->canonical()->encode([ map { { %$_,
		secrets => [ map { ref ? $$_ : $_ } @{$_->{secrets}} ] } }
		@$probes ]);
	my $private = $started{$key} ||= start($live, @$probes);

	@$probes = @{$private->{probes}};

	return $private;
}

sub nginx_args {
	my ($private) = @_;

	return ('-p', "$private->{dir}/", '-c', "$private->{dir}/nginx.conf",
		$private->{live}{version} >= 1019005 ? ('-e', 'stderr') : ());
}

# A process that ends nginx and removes the folder when this one has ended,
# in whatever way.

sub guard {
	my ($private) = @_;

	my $tmp = $ENV{TMPDIR};
	$tmp = '/tmp' unless defined $tmp && -d $tmp && length $tmp < 50;

	my $dir = $private->{dir} = sprintf '%s/webhook-check-%d-%06x', $tmp, $$,
		int rand 0x1000000;

	pipe my $read, my $write or fail(NO_NGINX, "pipe() failed: $!");

	my $pid = fork();
	fail(NO_NGINX, "fork() failed: $!") unless defined $pid;

	if (!$pid) {
		$SIG{$_} = 'IGNORE' foreach qw/ INT TERM HUP /;
		setsid();

		open STDIN, '<', '/dev/null';
		open STDOUT, '>', '/dev/null';
		open STDERR, '>', '/dev/null';

		# what others have open must end with them

		POSIX::close($_) foreach grep { $_ != fileno $read } 3 .. 255;

		my ($nginx, $text) = (undef, '');

		for ( ;; ) {
			my $n = sysread $read, $text, 65536, length $text;

			next if !defined $n && $! == EINTR;
			last unless $n;

			if (!$nginx && $text =~ s/^(.*?)\0\n//s) {
				my ($env, @command) = split /\0/, $1;

				$nginx = start_nginx($dir, $env, @command);
			}
		}

		if ($nginx) {
			kill 'TERM', $nginx;

			for (1 .. 100) {
				last if waitpid($nginx, WNOHANG) == $nginx;
				sleep 0.02;
				kill 'KILL', $nginx if $_ == 80;
			}
		}

		remove_tree($dir) if -d $dir;
		_exit(0);
	}

	close $read;
	push @guards, { pid => $pid, write => $write };

	mkdir $dir, 0700 or fail(NO_NGINX, "$dir cannot be made: $!");

	$private->{guard} = sub {
		my (undef, @command) = @_;

		my $env = join "\x01", %{$private->{env}};

		syswrite $write, join("\0", $env, @command) . "\0\n";
	};
}

sub start_nginx {
	my ($dir, $env, @command) = @_;

	my $pid = fork();
	return $pid if $pid || !defined $pid;

	$SIG{$_} = 'DEFAULT' foreach qw/ INT TERM HUP PIPE /;
	%ENV = (%ENV, split /\x01/, $env, -1);
	delete $ENV{NGINX};

	open STDOUT, '>', "$dir/out";
	open STDERR, '>&', \*STDOUT;

	exec { $command[0] } @command or _exit(127);
}

sub end_guards {
	foreach my $guard (splice @guards) {
		close $guard->{write};
		waitpid($guard->{pid}, 0);
	}
}

sub connect_to {
	my ($private, $socket) = @_;
	return IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $socket);
}

# what nginx says of a request: the line of its log, which is there when the
# connection is closed

sub judge {
	my ($private, $socket, $request) = @_;

	my $log = "$private->{dir}/verdicts";
	my $from = -s $log || 0;

	my $s = connect_to($private, "$private->{dir}/$socket")
		or fail(NO_NGINX, "nginx does not answer: $!");

	my $text = $request->{method} . ' ' . $request->{target} . " HTTP/1.1\r\n"
		. join '', map { "$_->[0]: $_->[1]\r\n" }
			grep { $_->[0] !~ /^(?:content-length|transfer-encoding
				|connection|keep-alive|expect|te|upgrade)$/xi }
			@{$request->{headers}};

	$text .= 'Content-Length: ' . length($request->{body}) . "\r\n\r\n"
		. $request->{body};

	my $offset = 0;

	while ($offset < length $text) {
		my $n = syswrite $s, $text, 65536, $offset;

		next if !defined $n && $! == EINTR;
		last unless $n;
		$offset += $n;
	}

	my $answer = '';
	my $deadline = time() + 60;

	for ( ;; ) {
		fail(NO_NGINX, 'nginx does not answer') if time() > $deadline;

		next unless IO::Select->new($s)->can_read(1);
		my $n = sysread $s, $answer, 65536, length $answer;

		next if !defined $n && $! == EINTR;
		last unless $n;
	}

	my $line;

	for (1 .. 200) {
		open my $fh, '<:raw', $log or next;
		seek $fh, $from, 0;
		($line) = grep { /\n\z/ } <$fh>;
		last if defined $line;
		sleep 0.01;
	}

	fail(NO_NGINX, 'nginx says nothing of a request') unless defined $line;

	# bytes are characters here

	return JSON::PP->new()->decode($line);
}

sub right {
	my ($verdict) = @_;
	return $verdict->{secret} ne '' && $verdict->{status} ne 'UNAVAILABLE'
		&& $verdict->{reason} ne 'wrong_body_hash';
}

# where nginx puts a request: the place, and the socket of its listener

sub locate {
	my ($private, $request) = @_;

	my $live = $private->{live};
	my $sockets = $private->{sockets};

	# who listens with TLS is asked first

	my @n = map { $sockets->{$_}{n} } sort {
		($sockets->{$b}{ssl} || $b =~ /443$/ ? 1 : 0)
			<=> ($sockets->{$a}{ssl} || $a =~ /443$/ ? 1 : 0)
			|| $a cmp $b } keys %$sockets;

	my @hosts = $request->{host};

	if (!defined $request->{host}) {
		my %seen;
		@hosts = grep { !$seen{$_}++ } (map { /^[\w.-]+$/ ? $_ : () }
			map { @{$_->{names}} } @{$live->{places}}), 'localhost';
	}

	foreach my $host (@hosts) {
		my %asked = (%$request, host => $host);

		$asked{headers} = [ [ 'Host', $host ], @{$request->{headers}} ]
			unless defined $request->{host};

		foreach my $n (@n) {
			my $verdict = judge($private, "$n.any.sock", \%asked);

			next unless defined $verdict->{place};

			%$request = %asked;

			my $place = $live->{places}[$verdict->{place}];

			if (defined $opt{'secret-file'}) {
				$live->{target} = $place;
				$private = $started{"target $place->{n}"}
					||= start($live);
				$verdict = judge($private, "$n.any.sock",
					$request);
			}

			return ($place, $n, $verdict, $private);
		}
	}

	fail(CONFIGURATION, defined $request->{host}
		? "nothing is verified where $request->{host}$request->{target}"
			. ' goes to'
		: "nothing is verified at $request->{target}, or the host is"
			. ' needed');
}

###############################################################################

1;
