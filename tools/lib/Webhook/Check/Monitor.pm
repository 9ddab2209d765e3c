package Webhook::Check::Monitor;

# (C) ngx_http_webhook_module contributors

# The monitor of the running nginx: has it read what is in the files now?

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;

our @EXPORT_OK = qw/ check_monitor /;

use JSON::PP qw//;

use Webhook::Check::Capture qw/ cut_url /;
use Webhook::Check::Conf qw/ absolute /;
use Webhook::Check::Output qw/ %opt warning /;
use Webhook::Check::Place qw/ effective /;

###############################################################################

# files that are newer than what the running nginx has read

sub check_monitor {
	my ($live) = @_;

	return unless defined $opt{monitor};

	my ($host, $target) = cut_url($opt{monitor});

	require IO::Socket::IP;

	my $s = IO::Socket::IP->new(PeerHost => $host =~ s/:\d+$//r,
		PeerPort => $host =~ /:(\d+)$/ ? $1 : 80, Timeout => 10);

	if (!$s) {
		warning("$opt{monitor} does not answer");
		return;
	}

	$target .= ($target =~ /\?/ ? '&' : '?') . 'format=json';

	print $s "GET $target HTTP/1.0\r\nHost: $host\r\n\r\n";
	$s->flush();

	my $text = do { local $/; <$s> };
	my ($json) = ($text || '') =~ /\r\n\r\n(.*)/s;

	my $loaded = eval { JSON::PP->new()->decode($json)->{loaded} };

	if (!defined $loaded) {
		warning("$opt{monitor} is no monitor");
		return;
	}

	my @files = keys %{$live->{files} || { $live->{conf} => 1 }};

	foreach my $place (grep { $_->{verify} } @{$live->{places}}) {
		push @files, map { absolute($live, $_) }
			map { /^(?:file|pem|jwks):(.*)/s }
			map { @{$_->{args}} } effective($place, 'webhook_secret');
	}

	my %seen;

	foreach my $file (sort grep { !$seen{$_}++ } @files) {
		my $changed = (stat $file)[9];

		warning("$file is newer than what the running nginx has read")
			if defined $changed && $changed > $loaded;
	}
}

###############################################################################

1;
