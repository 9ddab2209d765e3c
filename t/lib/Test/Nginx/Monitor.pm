package Test::Nginx::Monitor;

# (C) ngx_http_webhook_module contributors

# What tests of the monitor share: asking it, and reading what it says.

###############################################################################

=head1 SYNOPSIS

	use Test::Nginx::Monitor;

	my $r = monitor('format=json', headers => [ ... ]);

	is(metric('requests_total', place => 'p', outcome => 'passed'), 1);

=cut

###############################################################################

use warnings;
use strict;

use base qw/ Exporter /;

our @EXPORT = qw/ monitor metrics metric /;

###############################################################################

use Test::Nginx::Webhook;

###############################################################################

=head1 FUNCTIONS

=over

=item monitor(args, %opts)

Asks C</webhooks> on port 8088, as Prometheus does unless the options of
request() say otherwise, and returns the response.

=cut

sub monitor {
	my ($args, %opts) = @_;

	return request(port => 8088, method => 'GET',
		uri => '/webhooks' . (length($args || '') ? "?$args" : ''), %opts);
}

=item metrics(response)

What it says, by name with labels as they stand there; of a new request unless
it is given.

=item metric(name, label => value, ...)

The sum of all with these labels, of a new request; undef if there is none.

=cut

sub metrics {
	my ($r) = @_;

	$r ||= monitor('format=prometheus');

	return map { /^nginx_webhook_(\S.*) (\S+)\z/ ? ($1 => $2) : () }
		split /\n/, $r->{body};
}

sub metric {
	my ($name, %labels) = @_;

	my %metrics = metrics();
	my $sum;

	foreach my $key (keys %metrics) {
		next unless $key =~ /^\Q$name\E(?:\{|\z)/;
		next if grep { $key !~ /[{,]$_="\Q$labels{$_}\E"[,}]/ }
			keys %labels;

		$sum = ($sum || 0) + $metrics{$key};
	}

	return $sum;
}

###############################################################################

1;

###############################################################################
