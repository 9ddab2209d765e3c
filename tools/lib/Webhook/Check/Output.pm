package Webhook::Check::Output;

# (C) ngx_http_webhook_module contributors

# What webhook-check is asked for, and how it answers: its options, its exit
# codes, what it complains and warns of, what it shows to people, and JSON.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;

our @EXPORT_OK = qw/
	ACCEPTED REFUSED USAGE CONFIGURATION NO_NGINX %opt fail complain
	usage warning warned forget_warnings leave_out left_out show_left_out
	show show_json
/;

use JSON::PP qw//;

use constant {
	ACCEPTED => 0,
	REFUSED => 1,
	USAGE => 2,
	CONFIGURATION => 3,
	NO_NGINX => 4,
};

our %opt;

my (%left_out, @warnings);

###############################################################################

sub fail {
	my ($status, $text) = @_;

	complain("webhook-check: $text");
	exit $status;
}

# a captured request may hold what a terminal obeys

sub complain {
	my ($text) = @_;

	$text =~ s/([\0-\x09\x0b-\x1f\x7f])/sprintf '\\x%02x', ord $1/ge;
	print STDERR "$text\n";
}

sub usage {
	my ($text) = @_;

	complain("webhook-check: $text") if defined $text;
	print STDERR <<'END';
usage: webhook-check [options]
       webhook-check [options] verify [--at TIME] [--secret-file F] FILE|-
       webhook-check [options] sign --url URL [--body F] [--id I] [--type T]
                                    [--at TIME] [--secret-file F]
       webhook-check [options] send ... [--to URL]
       webhook-check record ADDRESS|SOCKET DIR
options: --nginx PATH  --conf FILE  --json  --monitor URL  -v
END
	exit USAGE;
}

# what is warned of, once

sub warning {
	my ($text) = @_;
	push @warnings, $text unless grep { $_ eq $text } @warnings;
}

sub warned {
	return @warnings;
}

sub forget_warnings {
	@warnings = ();
}

# names of directives that were not taken over

sub leave_out {
	my ($name) = @_;
	$left_out{$name}++;
}

sub left_out {
	return sort keys %left_out;
}

sub show_left_out {
	print "left out   " . join(' ', sort keys %left_out) . "\n"
		if $opt{v} && %left_out;
}

# pairs of a title and a text, as they are shown to people

sub show {
	my (@rows) = @_;

	while (my ($title, $text) = splice @rows, 0, 2) {
		next unless defined $text;

		$text =~ s/([\0-\x1f\x7f])/sprintf '\\x%02x', ord $1/ge;
		printf "%-10s %s\n", $title, $text;
	}
}

sub show_json {
	print JSON::PP->new()->latin1()->canonical()->encode($_[0]), "\n";
}

###############################################################################

1;
