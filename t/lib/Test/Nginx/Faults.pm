package Test::Nginx::Faults;

# (C) ngx_http_webhook_module contributors

# Lets allocations, and calls of OpenSSL, of a running nginx fail, one after the
# other, and looks at what became of the request that met with it.

###############################################################################

=head1 SYNOPSIS

	my $t = Test::Nginx->new()->has(qw/http proxy/);
	my $faults = Test::Nginx::Faults->new($t);
	my $u = upstream(8081);
	...
	is($faults->each(MEMORY, genuine($u, sub { event('nextpay') })), '',
		'allocations');

There must be one worker.  unit/faults.c is compiled and preloaded; the file is
skipped where nothing can be compiled, and with sanitizers, which have an
allocator of their own.

=cut

###############################################################################

use warnings;
use strict;

use base qw/ Exporter /;

our @EXPORT = qw/ MEMORY CALLS genuine passed forged repeated asked outcome /;

###############################################################################

use Test::More qw//;
use Test::Nginx qw//;
use Test::Nginx::Unit;
use Test::Nginx::Webhook;

###############################################################################

use constant { MEMORY => 1, CALLS => 2 };

# how often what has left something behind is done again, and how many times
# that: OpenSSL keeps what it says of the last 16 errors

use constant { AGAIN => 8, TIMES => 6 };

###############################################################################

=head1 METHODS

=over

=item new(nginx)

Before run().

=item each(mode, check)

Calls check(fault), where fault(code) is to be called once: it returns what the
code does while the n-th allocation (MEMORY) or call (CALLS) fails, and whether
it has; n is 1 and so on, until nothing has failed.  Returns what is wrong, by
what the check returns: nothing, if all is well; and each n that leaves memory
behind whenever it fails.

=item arm(mode, n), disarm()

The n-th one from now on fails; nothing does any more.  The latter returns
whether it has.

=item failed()

Whether it has.

=item live()

How many allocations there are that were not freed.

=item ahead(seconds)

Puts the clock of nginx ahead of the right time.  What else moves it allocates
memory for that.

=cut

sub new {
	my ($class, $t) = @_;

	Test::More::plan(skip_all => 'sanitizers have an allocator of their own')
		if $Test::Nginx::SANITIZE;

	Test::Nginx::Unit::has_compiler();

	my $so = $t->testdir() . '/faults.so';
	my $out = Test::Nginx::Unit::compile_library('faults', $so);

	Test::More::BAIL_OUT("unit/faults.c does not compile: $out") if $out;

	push @{$t->{_preload}}, $so;
	$t->write_file('faults', "\0" x 4096);

	open my $fh, '+<', $t->testdir() . '/faults'
		or die "Can't open faults: $!\n";

	return bless { fh => $fh }, $class;
}

sub each {
	my ($self, $mode, $check) = @_;

	my (@wrong, $failed);
	my $n = 0;

	# what is made once is there

	$self->_once($mode, 0, $check);

	my $live = $self->live();

	do {
		(my $wrong, $failed) = $self->_once($mode, ++$n, $check);

		if (!defined $wrong and $self->_left($live)) {
			$wrong = $self->_leaks($mode, $n, $check);
			$live = $self->live();
		}

		push @wrong, "$n: $wrong" if defined $wrong;

	} while ($failed and @wrong < 10);

	Test::More::diag("$n") if $ENV{TEST_NGINX_VERBOSE};

	push @wrong, 'nothing fails' if $n < 2;

	return join "\n", @wrong;
}

sub _once {
	my ($self, $mode, $n, $check) = @_;

	my $failed;

	my $wrong = $check->(sub {
		my ($code) = @_;

		$self->arm($mode, $n);
		my $got = $code->();
		$failed = $self->disarm();

		return ($got, $failed);
	});

	return ($wrong, $failed);
}

# what ends behind the answer may still do so

sub _left {
	my ($self, $live) = @_;

	return if $self->live() <= $live;

	return !Test::Nginx::_poll(0.5, sub { $self->live() <= $live });
}

sub _leaks {
	my ($self, $mode, $n, $check) = @_;

	foreach (1 .. TIMES) {
		my $live = $self->live();

		$self->_once($mode, $n, $check) foreach 1 .. AGAIN;

		return unless $self->_left($live + AGAIN - 1);
	}

	return 'leaves memory behind';
}

sub arm {
	my ($self, $mode, $n) = @_;

	$self->_write(0);
	$self->_write($mode, $n, 0, 0);
}

sub disarm {
	my ($self) = @_;

	$self->_write(0);

	return $self->failed();
}

sub failed { return ($_[0]->_read())[3]; }
sub live { return ($_[0]->_read())[4]; }

sub ahead {
	my ($self, $seconds) = @_;

	sysseek($self->{fh}, 20, 0);
	syswrite($self->{fh}, pack('i', $seconds));
}

sub _write {
	my ($self, @numbers) = @_;

	# the first one last: it is what the others are looked at for

	my $mode = shift @numbers;

	sysseek($self->{fh}, 4, 0);
	syswrite($self->{fh}, pack('i*', @numbers)) if @numbers;

	sysseek($self->{fh}, 0, 0);
	syswrite($self->{fh}, pack('i', $mode));
}

sub _read {
	my ($self) = @_;

	sysseek($self->{fh}, 0, 0);
	sysread($self->{fh}, my $buf, 20);

	return unpack('i5', $buf);
}

=back

=head1 FUNCTIONS

Checks for each(); the code returns a request() each time.

=over

=item genuine(upstream, code)

An event, another one each time, where events are deduplicated: let through, or
kept from it by a fault of ours; and then delivered once.

=item passed(upstream, code)

The same where they are not.

=item forged(upstream, code)

An event in which a byte differs: it never passes, and is not said to be
genuine.

=item repeated(upstream, code)

An event that was accepted.

=item asked(upstream, status, code)

What is answered without the upstream, the same after as before.

=item outcome(response)

The status, and "duplicate" if it is said to be one; or "closed".

=back

=cut

sub genuine {
	my ($u, $code) = @_;

	return sub {
		my ($fault) = @_;

		my %event = $code->();

		$u->reset();

		my ($got, $failed)
			= $fault->(sub { outcome(_request(%event)) });

		return "answered $got" if $got !~ ($failed
			? qr/^(?:200|5\d\d|closed)$/ : qr/^200$/);

		return if $failed and has_no_length($u);

		my $count = $u->count();

		return "answered 200, delivered $count times"
			if $got eq '200' and $count != 1;

		return 'another body'
			if $got eq '200' and $u->last()->{body} ne $event{body};

		my $again = outcome(_request(%event));
		my $then = $u->count();

		# without an answer to us the event may be delivered twice

		return "answered $got, then $again, delivered $count times,"
			. " then $then"
			unless $again eq '200 duplicate' and $then == $count
					and $count
				or $again eq '200' and $then == $count + 1
					and $got ne '200';

		return if $again ne '200';

		return 'another body' if $u->last()->{body} ne $event{body};

		$again = outcome(_request(%event));

		return "answered $got, then 200, then $again"
			if $again ne '200 duplicate' or $u->count() != $then;

		return;
	};
}

sub passed {
	my ($u, $code) = @_;

	return sub {
		my ($fault) = @_;

		my %event = $code->();

		$u->reset();

		my ($got, $failed)
			= $fault->(sub { outcome(_request(%event)) });

		return "answered $got" if $got !~ ($failed
			? qr/^(?:200|5\d\d|closed)$/ : qr/^200$/);

		return if $failed and has_no_length($u);

		my $count = $u->count();

		return "answered $got, delivered $count times"
			if $count != 1 and $count != ($got ne '200' ? 0 : 1);

		my $again = outcome(_request(%event));

		return "answered $got, then $again"
			if $again ne '200' or $u->count() != $count + 1;

		return $u->last()->{body} ne $event{body} ? 'another body'
			: undef;
	};
}

# nginx's own fault: without memory for the digits it proxies a request without
# its length, and the upstream takes the body for nothing, or for what comes next
# on the connection

sub has_no_length {
	my ($u) = @_;

	my ($r) = $u->requests() or return;

	return !grep { defined Test::Nginx::Upstream::header($r, $_) }
		qw/ Content-Length Transfer-Encoding /;
}

sub forged {
	my ($u, $code) = @_;

	return sub {
		my ($fault) = @_;

		my %event = $code->();

		$u->reset();

		my ($got, $failed)
			= $fault->(sub { outcome(_request(%event)) });

		return "answered $got" if $got !~ ($failed
			? qr/^(?:401|5\d\d|closed)$/ : qr/^401$/);

		return $u->connections() ? 'proxied' : undef;
	};
}

sub repeated {
	my ($u, $code) = @_;

	return sub {
		my ($fault) = @_;

		my %event = $code->();

		$u->reset();

		my ($got, $failed)
			= $fault->(sub { outcome(_request(%event)) });

		return "answered $got" if $got !~ ($failed
			? qr/^(?:200 duplicate|5\d\d(?: duplicate)?|closed)$/
			: qr/^200 duplicate$/);

		return $u->connections() ? 'proxied' : undef;
	};
}

sub asked {
	my ($u, $status, $code) = @_;

	my $right = _answer(_request($code->()));

	return sub {
		my ($fault) = @_;

		$u->reset();

		my ($got, $failed)
			= $fault->(sub { _answer(_request($code->())) });

		return "answered $got" if $got ne $right
			and !($failed and $got =~ /^(?:5\d\d |closed)/);

		return 'proxied' if $u->connections();
		return "not $status" if $right !~ /^$status /;

		my $again = _answer(_request($code->()));

		return $again ne $right ? "answered $again after it" : undef;
	};
}

sub outcome {
	my ($r) = @_;

	return 'closed' unless $r->{status};

	return $r->{status} . ($r->header('Webhook-Duplicate') ? ' duplicate'
		: '');
}

# what nginx does behind an answer is done when it closes the connection

sub _request {
	my (%opts) = @_;

	my $r = request(%opts);

	$r->{client}->closed();

	return $r;
}

# a part of a body was sent before the connection was closed

sub _answer {
	my ($r) = @_;

	return 'closed' unless $r->{status} and $r->{complete};

	return join ' ', $r->{status}, $r->header('Content-Type') || '-',
		$r->{body};
}

###############################################################################

1;

###############################################################################
