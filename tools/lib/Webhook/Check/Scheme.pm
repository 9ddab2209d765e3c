package Webhook::Check::Scheme;

# (C) ngx_http_webhook_module contributors

# Schemes, those of the configuration and built-in ones, as they are written:
# { directive => [ [ argument, ... ], ... ] }, and what their lines say.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;

our @EXPORT_OK = qw/
	scheme all_schemes line likelihood algorithm signed_text has_time
	variables
/;

use File::Basename qw/ dirname /;

use Webhook::Check::Conf qw/ named /;

my (%builtin, %aliases);

# made by auto/providers-table

my $BUILTIN = dirname(__FILE__) . '/schemes.txt';

###############################################################################

sub load_builtin {
	return if %builtin;

	my $name;

	open my $fh, '<', $BUILTIN or die "Can't open $BUILTIN: $!\n";

	while (my $line = <$fh>) {
		if ($line =~ /^\t(\S.*);$/) {
			my @args = map { /^"(.*)"$/ ? $1 : $_ }
				$1 =~ /("[^"]*"|\S+)/g;
			my $directive = shift @args;

			push @{$builtin{$name}{lines}{$directive}}, \@args;

		} elsif ($line =~ /^(\S+) = (\S+)$/) {
			$aliases{$1} = $2;

		} elsif ($line =~ /^(\S+)(?: from=(\S+))?$/) {
			$name = $1;
			$builtin{$name} = { from => $2, lines => {} };
		}
	}
}

sub scheme {
	my ($live, $name, $before) = @_;

	load_builtin();

	my @defined = grep { $_->{name} eq 'webhook_scheme' }
		map { @{$_->{block}} } grep { $_->{name} eq 'http' }
		@{$live->{tree}};

	foreach my $i (reverse 0 .. (defined $before ? $before : @defined) - 1) {
		my ($own, $from) = @{$defined[$i]{args}};

		next unless $own eq $name;

		my %lines;
		push @{$lines{$_->{name}}}, $_->{args}
			foreach @{$defined[$i]{block}};

		return {
			defined $from ? %{scheme($live, $from =~ s/^from=//r, $i)} : (),
			%lines
		};
	}

	$name = $aliases{$name} if defined $aliases{$name};

	my $s = $builtin{$name} or return {};

	return { defined $s->{from} ? %{scheme($live, $s->{from}, 0)} : (),
		%{$s->{lines}} };
}

sub all_schemes {
	my ($live) = @_;

	load_builtin();

	return sort keys %{{ map { $_ => 1 } keys %builtin,
		map { $_->{args}[0] } map { named($_, 'webhook_scheme') }
		grep { $_->{name} eq 'http' } @{$live->{tree}} }};
}

# sources and parameters of a line

sub line {
	my ($scheme, $name) = @_;

	my %line = (sources => []);

	foreach (@{($scheme->{$name} || [])->[0] || []}) {
		if (/^(separator|prefix|item|group|encoding|unit|form)=(.*)/s) {
			$line{$1} = $2;

		} else {
			push @{$line{sources}}, $_;
		}
	}

	return \%line;
}

# how likely a scheme was meant, of several that sign alike: as the module sees it

sub likelihood {
	my ($scheme, $headers) = @_;
	my $n = 0;

	foreach (map { @$_ } map { @{$scheme->{$_} || []} }
		qw/ event_id event_type /)
	{
		$n += $headers->{$_} ? 1 : -1
			foreach map { tr/_/-/r } /\$\{?http_(\w+)/g;
	}

	my $type = $scheme->{event_type} && $scheme->{event_type}[0][0] ne 'off';

	return 2 * $n + ($type ? 1 : 0);
}

sub algorithm {
	my ($scheme) = @_;
	return $scheme->{algorithm} ? $scheme->{algorithm}[0][0] : 'hmac-sha256';
}

sub signed_text {
	my ($scheme) = @_;
	return $scheme->{signed} ? $scheme->{signed}[0][0] : '$request_body';
}

sub has_time {
	my ($scheme) = @_;
	return $scheme->{timestamp} && $scheme->{timestamp}[0][0] ne 'off';
}

sub variables {
	my ($text) = @_;
	return $text =~ /\$\{?(\w+)/g;
}

###############################################################################

1;
