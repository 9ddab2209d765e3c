package Test::Nginx;

# (C) ngx_http_webhook_module contributors

# Harness: starts nginx with the module in a directory of its own, on free
# ports, under a clock of the test's choice, and checks at the end of each
# file that nothing was left broken.  Method names are those of nginx's test
# library.

###############################################################################

=head1 SYNOPSIS

	use Test::More;
	use Test::Nginx;

	my $t = Test::Nginx->new()->has(qw/http proxy/)->plan(2);

	$t->write_file_expand('nginx.conf', <<'EOF_');

	%%TEST_GLOBALS%%

	events {
	}

	http {
		%%TEST_GLOBALS_HTTP%%

		server {
			listen       127.0.0.1:8080;
			server_name  localhost;

			location / { }
		}
	}

	EOF_

	$t->run();

	like(http_get('/'), qr/200 OK/, 'answer');

C<127.0.0.1:8080> and C<%%PORT_8080%%> stand for a free port, the number
being merely its name.

=head1 AT THE END OF EACH FILE

plan(n) announces n + 3 tests.  The three run in an END block, on their own:

	answers after a reload, and stops
	no alert, emerg or crit logged    (see allow())
	no sanitizer output

=head1 ENVIRONMENT

	TEST_NGINX_BINARY        nginx to run (/usr/sbin/nginx)
	TEST_NGINX_MODULE        module to load (build/ngx_http_webhook_module.so);
	                         empty if linked in
	TEST_NGINX_GLOBALS       added to the main level
	TEST_NGINX_GLOBALS_HTTP  added to http {}
	TEST_NGINX_SANITIZE      1: the two are those of build/sanitize/
	TEST_NGINX_VERBOSE       1: print requests and answers
	TEST_NGINX_LEAVE         1: keep the directory
	TEST_NGINX_TIMEOUT       seconds until a file that hangs is ended (300)

=cut

###############################################################################

use warnings;
use strict;

use base qw/ Exporter /;

our @EXPORT = qw/
	log_in log_out http http_get http_head http_end port wait_until
	project_text
/;

###############################################################################

use Cwd qw/ abs_path /;
use File::Basename qw/ dirname /;
use File::Path qw/ remove_tree /;
use File::Temp qw/ tempdir /;
use IO::Select;
use IO::Socket;
use POSIX qw/ strftime WNOHANG /;
use Socket qw/ CRLF IPPROTO_TCP TCP_NODELAY /;
use Test::More qw//;
use Test::Nginx::Unit;
use Time::HiRes qw/ time sleep /;

###############################################################################

our $ROOT = abs_path(dirname(__FILE__) . '/../../..');

our $SANITIZE = $ENV{TEST_NGINX_SANITIZE} ? 1 : 0;

our $NGINX = defined $ENV{TEST_NGINX_BINARY} ? $ENV{TEST_NGINX_BINARY}
	: $SANITIZE ? "$ROOT/build/sanitize/nginx" : '/usr/sbin/nginx';

our $MODULE = defined $ENV{TEST_NGINX_MODULE} ? $ENV{TEST_NGINX_MODULE}
	: "$ROOT/build" . ($SANITIZE ? '/sanitize' : '')
		. '/ngx_http_webhook_module.so';

our @FAKETIME = map { glob($_) } (
	'/usr/lib/*/faketime/libfaketime.so.1',
	'/usr/lib/faketime/libfaketime.so.1',
	'/usr/local/lib/faketime/libfaketime.so.1'
);

# run at the end, before the server is asked for the last time: whoever holds
# connections to it or plays its upstream lets go

our @at_end;

our ($now, @instances, %ports);

###############################################################################

=head1 METHODS

=over

=item new()

A test with a fresh directory in /tmp.

=cut

sub new {
	my ($class) = @_;

	my $self = bless {
		_pid => $$,
		_allow => [],
		_problems => [],
	}, $class;

	Test::More::BAIL_OUT("no $NGINX binary found") unless -x $NGINX;
	Test::More::BAIL_OUT("no $MODULE found")
		if $MODULE ne '' and ! -f $MODULE;

	$self->{_testdir} = tempdir('nginx-test-XXXXXXXXXX', TMPDIR => 1);
	chmod 0755, $self->{_testdir};

	push @instances, $self;

	$SIG{PIPE} = 'IGNORE';
	$SIG{$_} ||= sub { exit 130 } foreach qw/ INT TERM HUP /;
	$SIG{ALRM} = sub { die "test timed out\n" };
	alarm($ENV{TEST_NGINX_TIMEOUT} || 300);

	return $self;
}

=item has(feature, ...)

Skips the file unless nginx was built with the features: http_v2, http_ssl,
auth_request, realip, mirror, ssi, debug, ...

=item has_version('1.23.0')

True if nginx is that version or a later one.

=item has_faketime()

Skips the file unless the clock can be moved.

=item plan(n)

n tests, and three of the harness.

=cut

sub has {
	my ($self, @features) = @_;

	foreach my $feature (@features) {
		Test::More::plan(skip_all => "no $feature available")
			unless $self->has_feature($feature);
	}

	return $self;
}

sub has_feature {
	my ($self, $feature) = @_;

	my $args = $self->configure_args();

	(my $name = $feature) =~ s/^http_//;

	foreach my $opt ("http_${name}_module", "${name}_module", $name) {
		return 1 if $args =~ /--with-\Q$opt\E(?=[\s']|$)/;
		return 0 if $args =~ /--without-\Q$opt\E(?=[\s']|$)/;
	}

	return 1 if $feature eq 'sni' and $args =~ /TLS SNI support enabled/;

	# built unless refused

	return $feature =~ /^(?:http|proxy|fastcgi|uwsgi|scgi|grpc|mirror|ssi|
		access|auth_basic|limit_conn|limit_req|map|geo|rewrite|gzip|
		charset|split_clients|userid|referer|upstream_keepalive|
		upstream_zone|cache|pcre)$/x;
}

sub has_version {
	my ($self, $need) = @_;

	$self->configure_args() =~ m!nginx version: \S+/([0-9.]+)!
		or die "nginx does not tell its version\n";

	my @v = split /\./, $1;

	foreach my $n (split /\./, $need) {
		my $v = shift @v || 0;
		return 0 if $n > $v;
		return 1 if $v > $n;
	}

	return 1;
}

sub has_faketime {
	my ($self) = @_;

	Test::More::plan(skip_all => 'no libfaketime found') unless @FAKETIME;

	return $self;
}

sub configure_args {
	my ($self) = @_;

	$self->{_args} = `$NGINX -V 2>&1` unless defined $self->{_args};

	return $self->{_args};
}

sub plan {
	my ($self, $plan) = @_;

	Test::More::plan(tests => $plan + 3);

	return $self;
}

=item allow(qr/.../, ...)

Lines of the error log that may be alert, emerg or crit.

=item no_reload_check()

The test leaves the server stopped on purpose.

=cut

sub allow {
	my ($self, @re) = @_;

	push @{$self->{_allow}}, @re;

	return $self;
}

sub no_reload_check {
	my ($self) = @_;

	$self->{_no_reload} = 1;

	return $self;
}

=item clock(epoch)

Freezes nginx's clock at that second; monotonic time, and so timers, run on.
The first call must come before run(); later ones move the clock of the
running server, backwards too: what nginx handles next sees the new time.
Returns the object; without an argument, the time of nginx's clock.

=cut

sub clock {
	my ($self, $epoch) = @_;

	return $self->now() unless defined $epoch;

	die "clock() before run(), or nginx has the machine's\n"
		if $self->{_master} and !defined $self->{_clock};

	die "no libfaketime found\n" unless @FAKETIME;

	# renamed, as nginx may read it at any moment

	$self->write_file('clock.tmp',
		strftime("%Y-%m-%d %H:%M:%S\n", gmtime($epoch)));

	rename "$self->{_testdir}/clock.tmp", "$self->{_testdir}/clock"
		or die "Can't rename clock.tmp: $!\n";

	$self->{_clock} = $now = $epoch;

	return $self;
}

=item has_faults()

System calls can be made to fail, see unit/file-faults.c; skips the file where
nothing can be compiled.  Before run().

=item faults('call size text action', ...)

The rules from now on; none: files are what they are.

=cut

sub has_faults {
	my ($self) = @_;

	my $so = "$self->{_testdir}/faults.so";

	Test::Nginx::Unit::has_compiler();

	my $out = Test::Nginx::Unit::compile_library('file-faults', $so);
	Test::More::BAIL_OUT("file-faults.c does not compile: $out") if $out;

	push @{$self->{_preload}}, $so;

	return $self;
}

sub faults {
	my ($self, @rules) = @_;

	my $file = "$self->{_testdir}/faults";

	# renamed, as nginx may read it at any moment

	$self->write_file('faults.tmp', join '', map { "$_\n" } @rules);

	rename "$file.tmp", $file or die "Can't rename faults.tmp: $!\n";

	return $self;
}

=item fault_count()

How many calls there were until now that rules were for.

=cut

sub fault_count {
	my ($self) = @_;
	return -s "$self->{_testdir}/faults.count" || 0;
}

=item now()

Seconds on nginx's clock.  A function too, Test::Nginx::now().

=cut

sub now {
	return defined $now ? $now : int(CORE::time());
}

=item run()

Starts nginx with nginx.conf, dies with the log if it does not start.

=item try_run(message)

Skips the file with the message instead.

=cut

sub run {
	my ($self) = @_;

	my $testdir = $self->{_testdir};

	die "nginx is running already\n" if $self->{_master};

	unlink "$testdir/nginx.pid";

	my $pid = $self->_spawn([ '-c', 'nginx.conf' ], 'nginx.out');

	my $status;
	my $ok = _poll(30, sub {
		if (!defined $status and waitpid($pid, WNOHANG) == $pid) {
			$status = $?;
		}

		return 1 if $status;

		my $n = eval { $self->read_file('nginx.pid') } || '';
		return unless $n =~ /^(\d+)\n/ and _alive($1);

		$self->{_master} = $1;
		return 1;
	});

	if (!$self->{_master}) {
		kill 'KILL', $pid unless defined $status;

		my $log = join '', map { eval { $self->read_file($_) } || '' }
			'nginx.out', 'error.log';
		$log = join "\n", grep { !/\[debug\]/ } split /\n/, $log;

		die "Can't start nginx: $log\n";
	}

	$self->{_launcher} = $pid;
	$self->{_conf} = $self->read_file('nginx.conf');

	# workers have been forked and have a name

	_poll(10, sub { $self->workers() });

	return $self;
}

sub try_run {
	my ($self, $message) = @_;

	eval { $self->run(); };

	return $self unless $@;

	Test::More::diag($@) if $ENV{TEST_NGINX_VERBOSE};
	Test::More::plan(skip_all => $message);
}

=item stop()

Stops nginx gracefully.  Being slow at it is a failure, told at the end.

=cut

sub stop {
	my ($self) = @_;

	my $pid = $self->{_master} or return $self;
	my @all = ($pid, _children($pid));

	kill 'QUIT', $pid;

	if (!_poll(15, sub { !_alive($pid) })) {
		push @{$self->{_problems}}, 'did not stop within 15 seconds';
		kill 'TERM', $pid;

		if (!_poll(5, sub { !_alive($pid) })) {
			@all = ($pid, _children($pid));
			kill 'KILL', @all;
			_poll(5, sub { !grep { _alive($_) } @all });
		}
	}

	foreach my $n (@all, $self->{_launcher}) {
		unlink "/dev/shm/faketime_shm_$n", "/dev/shm/sem.faketime_sem_$n";
	}

	delete $self->{_master};

	return $self;
}

=item reload()

Reloads the configuration.  Returns when new workers are there and the old
ones have stopped to listen (they may still have requests to finish); false
if nginx refused the configuration.

=cut

sub reload {
	my ($self) = @_;

	my $pid = $self->{_master} or die "nginx is not running\n";
	my %old = map { $_ => 1 } _children($pid);
	my $from = $self->log_pos();
	my $refused;

	kill 'HUP', $pid;

	my $ok = _poll(30, sub {
		if ($self->lines(qr/\[emerg\] $pid#/, from => $from)) {
			$refused = 1;
			return 1;
		}

		return unless grep { !$old{$_} } $self->workers();
		return if grep { _title($_) !~ /^nginx: (?:worker|cache)/ }
			_children($pid);

		my $listen = _listening();
		return !grep { _holds($_, $listen) } keys %old;
	});

	die "nginx did not reload\n" unless $ok;

	return if $refused;

	$self->{_conf} = $self->read_file('nginx.conf');

	return $self;
}

=item upgrade()

Starts another master beside the running one, as a new binary.  Returns its
pid, once it has workers; nothing if there is none.

=item follow(pid)

From now on that one is the master.

=item workers(), workers(master)

Pids of the workers that serve; those shutting down are not among them.

=item master()

Pid of the master.

=cut

sub upgrade {
	my ($self) = @_;

	my $old = $self->{_master};
	my $new;

	# the signal is ignored as long as the process that became a daemon is
	# still on its way out

	_poll(10, sub {
		my ($parent) = _text("/proc/$old/status") =~ /^PPid:\t(\d+)/m;
		return _text("/proc/$parent/comm") ne "nginx\n";
	});

	kill 'USR2', $old;

	_poll(10, sub {
		my ($pid) = _text("$self->{_testdir}/nginx.pid") =~ /^(\d+)\n/
			or return;

		$new = $pid if $pid != $old and $self->workers($pid);

		return $new;
	});

	return $new;
}

sub follow {
	my ($self, $master) = @_;

	$self->{_master} = $master;

	return $self;
}

sub workers {
	my ($self, $master) = @_;

	$master ||= $self->{_master} or return;

	my @pids = sort { $a <=> $b }
		grep { _title($_) eq 'nginx: worker process' }
		_children($master);

	return @pids;
}

sub _text {
	my ($name) = @_;
	local $/;

	open my $fh, '<', $name or return '';
	my $text = <$fh>;

	return defined $text ? $text : '';
}

sub master {
	my ($self) = @_;
	return $self->{_master};
}

=item conf_test(conf, %opts)

Runs nginx -t on the text, expanded as by write_file_expand(), and returns
the exit code and what was printed.  C<< in => 'http' >>, 'server' or
'location': the text is what stands in there.  C<< env => { } >>: added to
the environment.  C<< dump => 1 >>: nginx -T.

=cut

sub conf_test {
	my ($self, $conf, %opts) = @_;

	my $in = $opts{in} || 'main';

	if ($in eq 'location') {
		$conf = "location / {\n$conf\nproxy_pass http://127.0.0.1:8999;\n}";
	}

	if ($in =~ /^(?:location|server)$/) {
		$conf = "server {\nlisten 127.0.0.1:8998;\n$conf\n}";
	}

	if ($in ne 'main') {
		$conf = "%%TEST_GLOBALS%%\nevents {\n}\nhttp {\n"
			. "%%TEST_GLOBALS_HTTP%%\n$conf\n}\n";
	}

	local $self->{_log} = 'conf_test.log';

	$self->write_file_expand('conf_test.conf', $conf);

	my $pid = $self->_spawn([ $opts{dump} ? '-T' : '-t',
		'-c', 'conf_test.conf' ], 'conf_test.out', %opts);

	waitpid($pid, 0);
	my $status = $?;

	return ($status >> 8 || $status, $self->read_file('conf_test.out'));
}

=item write_file(name, content), write_file_expand(name, content)

Writes a file in the test's directory; with %%TEST_GLOBALS%%,
%%TEST_GLOBALS_HTTP%%, %%TESTDIR%%, %%PORT_8080%% and 127.0.0.1:8080
replaced.

=item read_file(name)

=item testdir()

=cut

sub write_file {
	my ($self, $name, $content) = @_;

	my $file = "$self->{_testdir}/$name";

	open my $fh, '>', $file or die "Can't create $name: $!\n";
	binmode $fh;
	print $fh $content;
	close $fh or die "Can't write $name: $!\n";

	return $self;
}

sub write_file_expand {
	my ($self, $name, $content) = @_;

	$content =~ s/%%TEST_GLOBALS%%/$self->test_globals()/ge;
	$content =~ s/%%TEST_GLOBALS_HTTP%%/$self->test_globals_http()/ge;
	$content =~ s/%%TESTDIR%%/$self->{_testdir}/g;
	$content =~ s/127\.0\.0\.1:(8\d\d\d)(?!\d)/'127.0.0.1:' . port($1)/ge;
	$content =~ s/%%PORT_(\d+)%%/port($1)/ge;

	return $self->write_file($name, $content);
}

sub read_file {
	my ($self, $name) = @_;
	local $/;

	open my $fh, '<', "$self->{_testdir}/$name"
		or die "Can't open $name: $!\n";
	binmode $fh;
	my $content = <$fh>;
	close $fh;

	return defined $content ? $content : '';
}

sub testdir {
	my ($self) = @_;
	return $self->{_testdir};
}

=item log_pos(name)

Size of a log now, to be given as from => to those below.  The log is
error.log unless named.

=item lines(qr/.../, name => , from => )

Lines of a log that match.

=item wait_log(qr/.../, name => , from => , count => 1, timeout => 10)

The first line that matches, once there are as many; undef if there never
were.

=item logged(case, name => 'verdict.log', count => , timeout => )

The lines of an access log that begin with "case", less that, once there are
as many.

=item wait_access(uri)

Waits until nginx, if it logs that, has begun the access phase of the POST
request for the uri.

=item waitforfile(file, timeout)

True once the file (a path) exists.

=item waitforsocket('127.0.0.1:' . port(8080))

True once the address accepts connections.

=cut

sub log_pos {
	my ($self, $name) = @_;
	return -s "$self->{_testdir}/" . ($name || 'error.log') || 0;
}

sub lines {
	my ($self, $re, %opts) = @_;

	my $name = $opts{name} || 'error.log';

	open my $fh, '<', "$self->{_testdir}/$name" or return;
	binmode $fh;
	seek $fh, $opts{from} || 0, 0;

	my @lines = grep { /\n\z/ and /$re/ } <$fh>;
	chomp @lines;

	return @lines;
}

sub wait_log {
	my ($self, $re, %opts) = @_;

	my @lines;

	_poll($opts{timeout} || 10, sub {
		@lines = $self->lines($re, %opts);
		return @lines >= ($opts{count} || 1);
	})
		or return;

	return $lines[0];
}

sub logged {
	my ($self, $case, %opts) = @_;

	my $re = qr/^"\Q$case\E" /;

	%opts = (name => 'verdict.log', %opts);

	$self->wait_log($re, %opts);

	return map { s/$re//r } $self->lines($re, %opts);
}

sub wait_access {
	my ($self, $uri) = @_;

	if (!$self->has_feature('debug')) {
		sleep 0.2;
		return;
	}

	my $line = $self->wait_log(qr/http request line: "POST \Q$uri\E /);
	my ($n) = ($line || '') =~ / (\d+#\d+: \*\d+) /;

	$self->wait_log(qr/ \Q$n\E access phase: /) if defined $n;
}

sub waitforfile {
	my ($self, $file, $timeout) = @_;
	return _poll($timeout || 10, sub { -e $file });
}

sub waitforsocket {
	my ($self, $peer, $timeout) = @_;

	return _poll($timeout || 10, sub {
		IO::Socket::INET->new(Proto => 'tcp', PeerAddr => $peer)
	});
}

=item port(8080)

The free port that goes by that name, for the life of the test process.  Also
an exported function.

=cut

sub port {
	shift if ref $_[0];
	my ($num) = @_;

	return $ports{$num}{port} if defined $ports{$num};

	my $start = int(rand(20000));

	foreach my $i (0 .. 19999) {
		my $port = 10000 + ($start + $i) % 20000;

		# the UDP socket of the same number tells other tests that
		# the port is taken, also while nobody listens on it

		my $lock = IO::Socket::INET->new(Proto => 'udp',
			LocalAddr => '127.0.0.1', LocalPort => $port)
			or next;

		IO::Socket::INET->new(Proto => 'tcp', Listen => 1, Reuse => 1,
			LocalAddr => '127.0.0.1', LocalPort => $port)
			or next;

		$ports{$num} = { port => $port, lock => $lock };

		return $port;
	}

	die "No free port\n";
}

###############################################################################

sub test_globals {
	my ($self) = @_;

	my $testdir = $self->{_testdir};
	my $log = $self->{_log} || 'error.log';
	(my $pid = $log) =~ s/error\.log/nginx.pid/;
	$pid =~ s/\.log$/.pid/;

	my $s = '';

	# workers of another user could not read what the test wrote

	$s .= "user root;\n" if $> == 0;
	$s .= "pid $testdir/$pid;\n";
	$s .= "lock_file $testdir/nginx.lock;\n";
	$s .= "error_log $testdir/$log debug;\n";
	$s .= "load_module $MODULE;\n" if $MODULE ne '';

	# workers keep no other environment, and libfaketime asks for it

	$s .= "env $_;\n" foreach sort keys %{{ $self->_faketime() }};

	$s .= $ENV{TEST_NGINX_GLOBALS} . "\n"
		if defined $ENV{TEST_NGINX_GLOBALS};

	return $s;
}

sub test_globals_http {
	my ($self) = @_;

	my $testdir = $self->{_testdir};

	my $s = "root $testdir;\naccess_log $testdir/access.log;\n"
		. "client_body_temp_path $testdir/client_body_temp;\n";

	foreach my $module (qw/ proxy fastcgi uwsgi scgi /) {
		$s .= "${module}_temp_path $testdir/${module}_temp;\n"
			if $self->has_feature($module);
	}

	$s .= $ENV{TEST_NGINX_GLOBALS_HTTP} . "\n"
		if defined $ENV{TEST_NGINX_GLOBALS_HTTP};

	return $s;
}

sub _faketime {
	my ($self) = @_;

	return (
		FAKETIME_TIMESTAMP_FILE => "$self->{_testdir}/clock",
		FAKETIME_NO_CACHE => 1,
		FAKETIME_DONT_FAKE_MONOTONIC => 1,
		DONT_FAKE_MONOTONIC => 1,
		NO_FAKE_STAT => 1,
		TZ => 'UTC',
	);
}

sub _spawn {
	my ($self, $args, $out, %opts) = @_;

	my $testdir = $self->{_testdir};
	my $test = grep { /^-[tT]$/ } @$args;

	my @args = ('-p', "$testdir/", @$args);
	push @args, '-e', $self->{_log} || 'error.log'
		if $self->has_version('1.19.5');

	my %env = (%{$opts{env} || {}}, $self->_sanitizers($test));

	if (defined $self->{_clock}) {
		%env = (%env, $self->_faketime());
		delete $ENV{FAKETIME};
	}

	my @preload = (@{$self->{_preload} || []},
		defined $self->{_clock} ? $FAKETIME[0] : ());

	if (@preload) {
		$env{LD_PRELOAD} = join ' ', _runtimes(), @preload;
		$env{TEST_NGINX_FAULTS} = "$testdir/faults";
	}

	my $pid = fork();
	die "Unable to fork(): $!\n" unless defined $pid;

	return $pid if $pid;

	delete $SIG{$_} foreach qw/ INT TERM HUP ALRM PIPE /;
	$SIG{PIPE} = 'DEFAULT';

	open STDIN, '<', '/dev/null';
	open STDOUT, '>>', "$testdir/$out" unless $test;
	open STDOUT, '>', "$testdir/$out" if $test;
	open STDERR, '>&', \*STDOUT;

	$ENV{$_} = $env{$_} foreach keys %env;

	{ no warnings; exec($NGINX, @args); }

	print STDERR "Unable to exec(): $!\n";
	POSIX::_exit(127);
}

sub _sanitizers {
	my ($self, $test) = @_;

	my $testdir = $self->{_testdir};

	# what else they need is linked into nginx; nginx -t ends by exit()
	# with its configuration in memory

	my %options = (
		ASAN_OPTIONS => "log_path=$testdir/asan"
			. ($test ? ':detect_leaks=0' : ''),
		UBSAN_OPTIONS => "log_path=$testdir/ubsan",
	);

	return map {
		$_ => join ':', grep { defined $_ and $_ ne '' } $ENV{$_},
			$options{$_}
	} keys %options;
}

# the sanitizer's runtime must come first among preloaded libraries

sub _runtimes {
	my %seen;

	return grep { !$seen{$_}++ }
		map { `ldd $_ 2>/dev/null` =~ m!=> (/\S+/lib[at]san\.so\S*)!g }
		grep { $_ ne '' } $NGINX, $MODULE;
}

sub _poll {
	my ($timeout, $code) = @_;

	my $till = time() + $timeout;

	while (1) {
		my $rc = $code->();
		return $rc if $rc;
		return if time() > $till;
		sleep 0.01;
	}
}

sub _stat {
	my ($pid) = @_;

	open my $fh, '<', "/proc/$pid/stat" or return;
	my $stat = <$fh>;

	return unless defined $stat and $stat =~ /^\d+ \(.*\) (\S) (\d+)/s;
	return ($1, $2);
}

sub _alive {
	my ($pid) = @_;

	waitpid($pid, WNOHANG);

	my ($state) = _stat($pid);
	return defined $state && $state !~ /[ZX]/;
}

sub _title {
	my ($pid) = @_;

	open my $fh, '<', "/proc/$pid/cmdline" or return '';
	my $title = <$fh>;

	return '' unless defined $title;

	$title =~ s/[\0\s]+$//;
	return $title;
}

sub _children {
	my ($parent) = @_;

	my @pids;

	foreach my $pid (map { m!/proc/(\d+)$! } glob('/proc/[0-9]*')) {
		my ($state, $ppid) = _stat($pid);
		push @pids, $pid if defined $ppid and $ppid == $parent
			and $state !~ /[ZX]/;
	}

	return @pids;
}

# inodes of sockets that listen on our ports

sub _listening {
	my %port = map { sprintf('%04X', $_->{port}) => 1 } values %ports;
	my %inode;

	foreach my $name ('tcp', 'tcp6') {
		open my $fh, '<', "/proc/net/$name" or next;

		while (<$fh>) {
			my @f = split;
			next unless defined $f[9] and $f[3] eq '0A';
			next unless $f[1] =~ /:(\w+)$/ and $port{$1};
			$inode{"socket:[$f[9]]"} = 1;
		}
	}

	return \%inode;
}

sub _holds {
	my ($pid, $inodes) = @_;

	foreach my $fd (glob("/proc/$pid/fd/*")) {
		my $target = readlink $fd;
		return 1 if defined $target and $inodes->{$target};
	}

	return;
}

###############################################################################

=back

=head1 FUNCTIONS

=over

=item http(request, %opts)

Sends the bytes to port 8080 and returns all that is answered until the
server closes, or undef after a timeout.  Options: peer => 'addr:port' (or
port => 8081), socket => an open one, start => 1 (returns the socket, to be
given to http_end()), body => bytes or [ pieces ] to be sent after the
request, sleep => seconds before each of them, timeout => 20.

=item http_get(uri, %opts), http_head(uri, %opts), http_end(socket, %opts)

=item project_text('README.md docs/*.md')

What is in these files of the project.

=item wait_until(sub { ... })

True once the code returns what is true, false if it did not in 10 seconds.

=item log_in(text), log_out(text)

=back

=cut

sub project_text {
	my ($files) = @_;

	my $text = '';

	foreach my $file (map { glob("$ROOT/$_") } split ' ', $files) {
		local $/;

		open my $fh, '<', $file or die "Can't open $file: $!\n";
		$text .= <$fh>;
	}

	return $text;
}

sub wait_until {
	my ($code) = @_;
	return _poll(10, $code);
}

sub http_get {
	my ($uri, %opts) = @_;
	return http("GET $uri HTTP/1.0" . CRLF . "Host: localhost" . CRLF . CRLF,
		%opts);
}

sub http_head {
	my ($uri, %opts) = @_;
	return http("HEAD $uri HTTP/1.0" . CRLF . "Host: localhost" . CRLF . CRLF,
		%opts);
}

sub http {
	my ($request, %opts) = @_;

	my $s = $opts{socket} || IO::Socket::INET->new(
		Proto => 'tcp',
		PeerAddr => $opts{peer}
			|| '127.0.0.1:' . port($opts{port} || 8080)
	)
		or die "Can't connect to nginx: $!\n";

	setsockopt($s, IPPROTO_TCP, TCP_NODELAY, 1);

	my @pieces = ($request);
	push @pieces, ref $opts{body} ? @{$opts{body}} : $opts{body}
		if defined $opts{body};

	foreach my $i (0 .. $#pieces) {
		sleep $opts{sleep} if $i and $opts{sleep};
		log_out($pieces[$i]);

		local $SIG{PIPE} = 'IGNORE';
		$s->print($pieces[$i]);
		$s->flush();
	}

	return $s if $opts{start};

	return http_end($s, %opts);
}

sub http_end {
	my ($s, %opts) = @_;

	my $till = time() + ($opts{timeout} || 20);
	my $reply = '';

	while (1) {
		my $left = $till - time();

		return if $left <= 0
			or !IO::Select->new($s)->can_read($left);

		my $n = sysread($s, $reply, 65536, length $reply);
		last unless $n;
	}

	log_in($reply);

	return $reply;
}

sub log_out { _log('>>', @_); }
sub log_in { _log('<<', @_); }

sub _log {
	my ($prefix, $text) = @_;

	return unless $ENV{TEST_NGINX_VERBOSE};

	foreach my $line (split /\n/, $text, -1) {
		$line =~ s/([^\x20-\x7e])/sprintf('\\x%02x', ord($1))/ge;
		Test::More::note("$prefix ", substr($line, 0, 500));
	}
}

###############################################################################

# the three tests at the end

sub _answers {
	my ($self) = @_;

	if (!$self->{_master}) {
		return 'was stopped, and not started again'
			unless $self->{_no_reload};

		Test::More::diag('server stopped by the test: not asked');
		return ();
	}

	my @problems;
	push @problems, 'master is gone' unless _alive($self->{_master});

	if (!@problems and $self->{_conf} !~ /^\s*master_process\s+off/m) {
		eval {
			$self->reload() or push @problems, 'configuration refused';
		};
		push @problems, $@ if $@;
	}

	my @listen = $self->{_conf}
		=~ /^\s*listen\s+(127\.0\.0\.1:\d+(?:\s+[^;]*)?);/mg;
	my ($plain) = grep { !/\b(?:ssl|http2|quic|udp)\b/ } @listen;

	foreach my $listen ($plain || $listen[0] || ()) {
		my ($peer) = split ' ', $listen;

		my $r = eval { http_get('/', peer => $peer, timeout => 10) };

		push @problems, "no answer from $peer"
			unless defined $r and ($r =~ m!^HTTP/! or !$plain);
	}

	return @problems;
}

sub _alerts {
	my ($self) = @_;

	my @lines;

	foreach my $name ('error.log', 'nginx.out') {
		push @lines, $self->lines(qr/\[(?:alert|emerg|crit)\]
			|process\ \d+\ exited\ with\ (?:fatal\ )?code\ [^0]/x,
			name => $name);
	}

	foreach my $re (@{$self->{_allow}}) {
		@lines = grep { !/$re/ } @lines;
	}

	return @lines;
}

# Reports are in files of their own, or on stderr, which becomes the error log.

sub _reports {
	my ($self) = @_;

	my @reports;

	foreach my $file (glob("$self->{_testdir}/*san.[0-9]*")) {
		(my $name = $file) =~ s!.*/!!;
		push @reports, $self->read_file($name);
	}

	foreach my $name ('error.log', 'nginx.out', 'conf_test.out') {
		next unless -e "$self->{_testdir}/$name";

		my $text = $self->read_file($name);

		push @reports, $text =~ /^(==\d+==.*Sanitizer.*)$/mg;
		push @reports, $text
			=~ /(\S+: runtime error: .*(?:\n\s+#\d+ .*)*)/g;
	}

	# one may be repeated by every request

	my %times;
	$times{$_}++ foreach @reports;

	return map { "$_ (times: $times{$_})" } sort keys %times;
}

sub _finish {
	my ($died) = @_;

	foreach my $code (@at_end) {
		eval { $code->(); };
		Test::More::diag($@) if $@;
	}

	my @tests = grep { $_->{_pid} == $$ } @instances;
	my (@problems, @alerts, @reports);

	foreach my $t (@tests) {
		push @problems, $died ? () : $t->_answers();
		$t->stop();
		push @problems, @{$t->{_problems}};
		push @alerts, $t->_alerts();
		push @reports, $t->_reports();
	}

	if ($died or !Test::More->builder->expected_tests) {
		Test::More::diag($_) foreach @problems, @alerts, @reports;

	} else {
		Test::More::is(join("\n", @problems), '',
			'answers after a reload, and stops');
		Test::More::is(join("\n", @alerts), '',
			'no alert, emerg or crit logged');
		Test::More::is(join("\n", @reports), '', 'no sanitizer output');
	}

	foreach my $t (@tests) {
		if ($ENV{TEST_NGINX_LEAVE}) {
			Test::More::diag("left: $t->{_testdir}");
			next;
		}

		remove_tree($t->{_testdir}, { error => \my $error });
	}
}

END {
	my $status = $?;

	if (@instances and $instances[0]{_pid} == $$) {
		alarm(120);
		eval { _finish($status != 0); };
		Test::More::diag($@) if $@;
		$status ||= 255 if $@;
	}

	$? = $status;
}

###############################################################################

1;

###############################################################################
