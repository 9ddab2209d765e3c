package Test::Nginx::HTTP2;

# (C) ngx_http_webhook_module contributors

# A client of HTTP/2 that sends frames as it is told.

###############################################################################

use warnings;
use strict;

use base qw/ Exporter /;

our @EXPORT = qw/
	h2_connect h2_preface h2_headers h2_frames h2_frame h2_statuses
	h2_next h2_status
/;

###############################################################################

use IO::Select;
use Test::Nginx qw//;
use Test::Nginx::Webhook;
use Time::HiRes qw/ time /;

###############################################################################

=head1 FUNCTIONS

=over

=item h2_connect(8080)

A connection, see Test::Nginx::Client, with its preface sent.

=item h2_preface()

=item h2_headers(%opts)

The frame that begins a request.

	uri, body, headers
	stream  1
	length  what content-length says, that of the body unless told; undef
	        for none
	end     1: there is no body

=item h2_frames(body, %opts)

Those with the body.

	cuts    [ lengths ], the last takes the rest
	pad     so many bytes of padding
	empty   1: one without data behind them
	open    1: the stream goes on
	stream  1

=item h2_frame(type, flags, stream, data)

=item h2_statuses(connection, streams)

The status of each stream; reset, or none.

=item h2_next(\$bytes)

Cuts off the first frame: type, flags, stream, data; nothing if it is not whole.

=item h2_status(data)

The status in the headers of a frame.

=back

=cut

sub h2_connect {
	my ($port) = @_;

	my $c = client(port => $port || 8080);

	$c->send(h2_preface());

	return $c;
}

sub h2_preface {
	return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" . h2_frame(4, 0, 0, '');
}

sub h2_headers {
	my (%opts) = @_;

	my $length = exists $opts{length} ? $opts{length}
		: length $opts{body};

	my $block = join '', map { chr(0) . join '', map { chr(length $_) . $_ }
		@$_ } [ ':method', 'POST' ], [ ':scheme', 'http' ],
		[ ':path', $opts{uri} || '/' ], [ ':authority', 'localhost' ],
		(defined $length ? [ 'content-length', $length ] : ()),
		map { [ lc $_->[0], $_->[1] ] } @{$opts{headers}};

	return h2_frame(1, 4 | ($opts{end} ? 1 : 0), $opts{stream} || 1, $block);
}

sub h2_frames {
	my ($body, %opts) = @_;

	my @pieces = map { substr $body, 0, $_, '' } @{$opts{cuts} || []};
	@pieces = grep { length $_ } @pieces;

	push @pieces, $body if !$opts{open} and ($body ne '' or !@pieces);
	push @pieces, '' if $opts{empty};

	my $pad = $opts{pad};

	return map {
		my $data = $pieces[$_];
		$data = chr($pad) . $data . "\0" x $pad if $pad;

		h2_frame(0, ($_ == $#pieces && !$opts{open} ? 1 : 0)
			| ($pad ? 8 : 0), $opts{stream} || 1, $data)
	} 0 .. $#pieces;
}

sub h2_frame {
	my ($type, $flags, $stream, $data) = @_;

	return substr(pack('N', length $data), 1)
		. pack('CCN', $type, $flags, $stream) . $data;
}

sub h2_statuses {
	my ($c, @streams) = @_;

	my ($in, %status) = ('');
	my $till = time() + 20;

	while (grep { !defined $status{$_} } @streams and time() < $till) {
		my $n = IO::Select->new($c->socket())->can_read(1)
			? sysread($c->socket(), $in, 65536, length $in)
			: undef;

		last if defined $n and !$n;

		while (my ($type, undef, $stream, $data) = h2_next(\$in)) {
			$status{$stream} = 'reset' if $type == 3
				and !defined $status{$stream};

			$status{$stream} = h2_status($data) if $type == 1;
		}
	}

	$status{$_} = 'none' foreach grep { !defined $status{$_} } @streams;

	return \%status;
}

sub h2_next {
	my ($in) = @_;

	return if length $$in < 9;

	my ($l, $len, $type, $flags, $stream) = unpack 'CnCCN', $$in;
	$len += $l << 16;

	return if length $$in < 9 + $len;

	my $data = substr $$in, 9, $len;
	substr $$in, 0, 9 + $len, '';

	return ($type, $flags, $stream, $data);
}

# 200 and the like are one byte, others are text

sub h2_status {
	my ($data) = @_;

	my %indexed = (8 => 200, 9 => 204, 10 => 206, 11 => 304, 12 => 400,
		13 => 404, 14 => 500);

	$data =~ s/^\x20//;

	return $data =~ /^\x48.(\d{3})/s ? $1
		: $indexed{ord($data) & 0x7f} || 'unknown';
}

###############################################################################

1;

###############################################################################
