package Webhook::Check::Record;

# (C) ngx_http_webhook_module contributors

# The command "record": every request is answered, and written into a file.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;

our @EXPORT_OK = qw/ record /;

use Errno qw/ EINTR /;
use IO::Select;
use IO::Socket::UNIX;
use POSIX qw/ strftime /;
use Socket qw/ SOCK_STREAM /;

use Webhook::Check::Capture qw/ unchunk /;
use Webhook::Check::Output qw/ USAGE fail usage /;

###############################################################################

sub record {
	my ($address, $dir) = @_;

	my $listener;

	if ($address =~ m!^(?:unix:)?(/.+)!) {
		my $path = $1;

		unlink $path if -S $path && !IO::Socket::UNIX->new(
			Type => SOCK_STREAM, Peer => $path);
		$listener = IO::Socket::UNIX->new(Type => SOCK_STREAM,
			Local => $path, Listen => 128);

	} elsif ($address =~ /^(?:(.*):)?(\d+)$/) {
		my ($host, $port) = ($1, $2);

		$host = '127.0.0.1' unless defined $host;
		$host =~ s/^\[|\]$//g;

		require IO::Socket::IP;
		$listener = IO::Socket::IP->new(LocalHost => $host,
			LocalPort => $port, Listen => 128, ReuseAddr => 1);

	} else {
		usage("\"$address\" is no address");
	}

	fail(USAGE, "cannot listen on $address: $!") unless $listener;

	mkdir $dir, 0700 unless -d $dir;
	fail(USAGE, "$dir cannot be written to") unless -d $dir && -w $dir;

	umask 077;

	my $select = IO::Select->new($listener);
	my (%text, $count);

	for ( ;; ) {
		foreach my $s ($select->can_read()) {

			if ($s == $listener) {
				my $new = $listener->accept() or next;
				$select->add($new);
				$text{$new} = '';
				next;
			}

			my $n = sysread $s, $text{$s}, 65536, length $text{$s};

			next if !defined $n && $! == EINTR;

			my ($head, $body) = $n ? whole($s, \$text{$s}) : ();

			if (!$n || length $text{$s} > 256 * 1024 * 1024) {
				# gone, or too much

			} elsif (!defined $head) {
				next;

			} else {
				my $name = sprintf '%s/%s-%06d-%d.http', $dir,
					strftime('%Y%m%d-%H%M%S', gmtime),
					++$count, $$;

				open my $fh, '>:raw', "$name.tmp"
					or fail(USAGE, "$name cannot be made: $!");
				print $fh $head, "\r\n\r\n", $body;
				close $fh or fail(USAGE, "$name: $!");
				rename "$name.tmp", $name
					or fail(USAGE, "$name: $!");

				print "$name\n";

				syswrite $s, "HTTP/1.1 200 OK\r\nContent-Length:"
					. " 0\r\nConnection: close\r\n\r\n";
			}

			$select->remove($s);
			delete $text{$s};
			close $s;
		}
	}
}

# head and body of a request, once all of it is there

sub whole {
	my ($s, $text) = @_;

	my $end = index $$text, "\r\n\r\n";
	return if $end < 0;

	my $head = substr $$text, 0, $end;
	my $length = length($$text) - $end - 4;

	if ($head =~ /^Transfer-Encoding:.*chunked/mi) {
		if ($$text !~ /(?:^|\r\n)0\r\n(?:.*\r\n)?\r\n\z/) {
			continue_if_asked($s, $text, $length);
			return;
		}

		my $body = unchunk(substr $$text, $end + 4);
		return unless defined $body;

		$head =~ s/^Transfer-Encoding:[^\r\n]*/'Content-Length: '
			. length $body/mie;

		return ($head, $body);
	}

	my ($wanted) = $head =~ /^Content-Length:\s*(\d+)/mi;
	$wanted ||= 0;

	if ($length < $wanted) {
		continue_if_asked($s, $text, $length);
		return;
	}

	return ($head, substr $$text, $end + 4, $wanted);
}

sub continue_if_asked {
	my ($s, $text, $length) = @_;

	syswrite $s, "HTTP/1.1 100 Continue\r\n\r\n"
		if $length == 0 && $$text =~ s/^Expect:\s*100-continue\r\n//mi;
}

###############################################################################

1;
