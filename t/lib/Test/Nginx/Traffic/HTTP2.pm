package Test::Nginx::Traffic::HTTP2;

# (C) ngx_http_webhook_module contributors

# Senders of Test::Nginx::Traffic that speak HTTP/2: some share a connection,
# which is left when it has had as many as it may have, or nginx ends it.
#
# Bodies are sent whole: they must fit into the window of a stream, 65535 bytes.
# Of an answer's header only the status is known.

###############################################################################

use warnings;
use strict;

use Test::Nginx::HTTP2;
use Time::HiRes qw/ time /;

###############################################################################

our $STREAMS = 40;

sub attempt {
	my ($traffic, $a) = @_;

	my $port = $a->{port} || 8080;
	my $c = $traffic->{h2}{$port};

	if (!$c or !$c->{socket} or $c->{last} >= 2 * $STREAMS) {
		hang_up_when_done($traffic, $c) if $c;
		$c = $traffic->{h2}{$port} = connection($traffic, $port);
	}

	my $id = $c->{last} += 2;

	$a->{conn} = $c;
	$a->{stream} = $id;
	$c->{streams}{$id} = $a;

	$c->{out} .= join '', h2_headers(uri => $a->{uri}, body => $a->{body},
			stream => $id, headers => [ [ 'x-attempt', $a->{n} ],
				@{$a->{headers}} ]),
		h2_frames($a->{body}, stream => $id,
			cuts => [ (16384) x int(length($a->{body}) / 16384) ]);

	$traffic->_flush($c) unless $traffic->{write}{fileno($c->{socket})};

	return $a;
}

sub connection {
	my ($traffic, $port) = @_;

	my $s = $traffic->_connect($port);

	my $c = { socket => $s, in => '', out => h2_preface(), last => -1,
		streams => {} };

	$traffic->_watch($s, 'write', sub { $traffic->_flush($c) });
	$traffic->_watch($s, 'read', sub { answer($traffic, $c) });

	return $c;
}

sub answer {
	my ($traffic, $c) = @_;

	return unless $c->{socket};

	my $n = Test::Nginx::Traffic::_read($c);
	return unless defined $n;

	while (my ($type, $flags, $id, $data) = h2_next(\$c->{in})) {
		goaway($traffic, $c, unpack 'N', $data) if $type == 7;

		my $a = $c->{streams}{$id} or next;

		if ($type == 1) {
			$a->{header} = $traffic->seq();
			$a->{status} = h2_status($data);
			$a->{answer} = {};

			$traffic->{header}->($a) if $traffic->{header};
		}

		gone($traffic, $a) if $type == 3 and !$a->{header};

		if ($type == 3 or $type < 2 and $flags & 1) {
			delete $c->{streams}{$id};
			$traffic->_done($a);
		}
	}

	goaway($traffic, $c, -1) if $n == 0;

	hang_up_when_done($traffic, $c) if $c->{over};

	return;
}

# What came later than the last one is not looked at.

sub goaway {
	my ($traffic, $c, $last) = @_;

	$c->{over} = 1;

	foreach my $port (keys %{$traffic->{h2}}) {
		delete $traffic->{h2}{$port} if $traffic->{h2}{$port} == $c;
	}

	foreach my $id (grep { $_ > $last } sort keys %{$c->{streams}}) {
		my $a = delete $c->{streams}{$id};

		gone($traffic, $a) unless $a->{header};
		$traffic->_done($a);
	}

	return;
}

sub gone {
	my ($traffic, $a) = @_;

	$a->{gone} = $traffic->seq();
	$a->{gone_time} = time();

	return;
}

sub abort {
	my ($traffic, $a) = @_;

	my $c = $a->{conn};

	delete $c->{streams}{$a->{stream}};

	return unless $c->{socket};

	$c->{out} .= h2_frame(3, 0, $a->{stream}, pack 'N', 8);
	$traffic->_flush($c) unless $traffic->{write}{fileno($c->{socket})};

	hang_up_when_done($traffic, $c) if $c->{over};

	return;
}

sub hang_up_when_done {
	my ($traffic, $c) = @_;

	$c->{over} = 1;
	$traffic->_close($c) unless %{$c->{streams}};

	return;
}

sub hang_up {
	my ($traffic) = @_;

	hang_up_when_done($traffic, delete $traffic->{h2}{$_})
		foreach keys %{$traffic->{h2}};

	return;
}

###############################################################################

1;

###############################################################################
