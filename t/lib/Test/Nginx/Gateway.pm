package Test::Nginx::Gateway;

# (C) ngx_http_webhook_module contributors

# A server of FastCGI, SCGI or uwsgi that asks an upstream by HTTP what to
# answer: what has come over such a protocol is recorded there.

###############################################################################

=head1 SYNOPSIS

	my $u = upstream(8081);

	gateway('fastcgi', 8091, 8081);

It ends with the test.  The request line is made of REQUEST_METHOD and
REQUEST_URI, and only the body goes with it.

=cut

###############################################################################

use warnings;
use strict;

use base qw/ Test::Nginx::Process /;

our @EXPORT = qw/ gateway /;

###############################################################################

use IO::Select;
use IO::Socket;
use Test::Nginx qw//;
use Test::Nginx::Process;

###############################################################################

my %serve = (
	fastcgi => \&_fastcgi,
	scgi => \&_scgi,
	uwsgi => \&_uwsgi,
);

my @gateways;

sub gateway {
	my ($protocol, $num, $upstream) = @_;

	my $listen = IO::Socket::INET->new(
		LocalAddr => '127.0.0.1',
		LocalPort => Test::Nginx::port($num),
		Listen => 64,
		Reuse => 1
	)
		or die "Can't listen: $!\n";

	# until the test is gone

	push @gateways, Test::Nginx::Process::start(__PACKAGE__, sub {
		my ($control) = @_;

		my $select = IO::Select->new($listen, $control);

		while (!grep { $_ == $control } $select->can_read()) {
			my $s = $listen->accept() or next;

			eval { $serve{$protocol}->($s, Test::Nginx::port($upstream)); };
			close $s;
		}
	});
}

###############################################################################

sub _fastcgi {
	my ($s, $port) = @_;

	my %stdin = (4 => '', 5 => '');
	my $type;

	# parameters and body end with an empty record each

	do {
		my ($length, $padding);

		(undef, $type, undef, $length, $padding)
			= unpack 'CCnnC', _read($s, 8);

		$stdin{$type} .= $length ? _read($s, $length) : '';
		_read($s, $padding) if $padding;

		$type = 0 if $length;

	} while ($type != 5);

	my (%vars, $p);

	for ($p = 0; $p < length $stdin{4};) {
		my @lengths = map {
			my $n = ord substr $stdin{4}, $p, 1;

			$n = unpack 'N', substr $stdin{4}, $p, 4 if $n > 127;
			$p += $n > 127 || ord(substr $stdin{4}, $p, 1) > 127
				? 4 : 1;

			$n & 0x7fffffff;
		} 1, 2;

		my $name = substr $stdin{4}, $p, $lengths[0];

		$vars{$name} = substr $stdin{4}, $p + $lengths[0], $lengths[1];
		$p += $lengths[0] + $lengths[1];
	}

	my $answer = _cgi(_ask($port, \%vars, $stdin{5}));

	print $s map { pack('CCnnCx', 1, $_->[0], 1, length $_->[1], 0)
		. $_->[1] } [ 6, $answer ], [ 6, '' ], [ 3, "\0" x 8 ];
}

sub _scgi {
	my ($s, $port) = @_;

	my $length = '';
	$length .= _read($s, 1) while $length !~ /:$/;

	# pairs, each of which ends with a zero byte, and a comma

	my $text = _read($s, $length =~ s/:$//r);
	my %vars = unpack '(Z*)*', $text;

	_read($s, 1);

	print $s _cgi(_ask($port, \%vars, _body($s, \%vars)));
}

sub _uwsgi {
	my ($s, $port) = @_;

	my (undef, $size) = unpack 'CvC', _read($s, 4);
	my %vars = unpack '(v/a*)*', _read($s, $size);

	print $s _ask($port, \%vars, _body($s, \%vars));
}

###############################################################################

sub _body {
	my ($s, $vars) = @_;
	return $vars->{CONTENT_LENGTH} ? _read($s, $vars->{CONTENT_LENGTH}) : '';
}

sub _read {
	my ($s, $n) = @_;

	read($s, my $buf, $n) == $n or die "early end\n";

	return $buf;
}

sub _ask {
	my ($port, $vars, $body) = @_;

	my $u = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port")
		or die "no upstream\n";

	print $u "$vars->{REQUEST_METHOD} $vars->{REQUEST_URI} HTTP/1.0\r\n",
		'Content-Length: ', length $body, "\r\n\r\n", $body;

	local $/;
	return scalar <$u>;
}

sub _cgi {
	my ($answer) = @_;
	return $answer =~ s!^HTTP/\S+ !Status: !r;
}

###############################################################################

1;

###############################################################################
