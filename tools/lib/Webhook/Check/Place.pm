package Webhook::Check::Place;

# (C) ngx_http_webhook_module contributors

# Places, where something may be verified: servers, locations, limit_except.
# What they inherit, how they are called, and the window of time of a place.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;

our @EXPORT_OK = qw/
	find_places effective verifying check_verifying place_text window
	window_text
/;

use Webhook::Check::Conf qw/ named /;
use Webhook::Check::Output qw/ CONFIGURATION fail /;
use Webhook::Check::Scheme qw/ has_time scheme /;

###############################################################################

sub find_places {
	my ($live) = @_;

	my @places;

	foreach my $http (grep { $_->{name} eq 'http' } @{$live->{tree}}) {
		foreach my $server (named($http, 'server')) {
			add_place(\@places, $server, $http);
		}
	}

	$live->{places} = \@places;
}

sub add_place {
	my ($places, $node, @above) = @_;

	my $server = $above[1] || $node;
	my @names = map { @{$_->{args}} } named($server, 'server_name');
	my $location = '';

	foreach my $level (@above, $node) {
		$location = $level->{args}[-1] if $level->{name} eq 'location';
	}

	my $place = {
		n => scalar @$places,
		levels => [ $node, @above ? ($above[-1], reverse @above[0 .. $#above - 1]) : () ],
		node => $node,
		server => $server,
		names => \@names,
		server_name => @names ? $names[0] : '',
		location => $location,
	};

	($place->{name}) = map { $_->{args}[0] }
		effective($place, 'webhook_place');
	$place->{name} = $place->{server_name} . $location
		unless defined $place->{name};

	$place->{name} .= ', but for ' . join ' ', @{$node->{args}}
		if $node->{name} eq 'limit_except';

	$node->{place} = $place;
	push @$places, $place;

	my ($verify) = effective($place, 'webhook_verify');

	if ($verify && $verify->{args}[0] ne 'off') {
		$place->{verify} = $verify;
		$place->{scheme} = $verify->{args}[0];
	}

	add_place($places, $_, @above, $node)
		foreach named($node, 'location'), named($node, 'limit_except');
}

# a level that has a directive inherits nothing of it

sub effective {
	my ($place, $name) = @_;

	foreach my $level (@{$place->{levels}}) {
		my @found = named($level, $name);
		return @found if @found;
	}

	return;
}

sub verifying {
	my ($live) = @_;

	return grep { $_->{verify} && ($_->{node}{name} ne 'server'
		|| !grep { $_->{args}[-1] eq '/' } named($_->{node}, 'location')) }
		@{$live->{places}};
}

# without a place the module may not even be loaded

sub check_verifying {
	my ($live) = @_;

	fail(CONFIGURATION, 'nothing is verified in this configuration')
		unless verifying($live);
}

sub place_text {
	my ($place) = @_;

	my $v = $place->{verify};

	return "$place->{name}, \"webhook_verify $place->{scheme}\" in"
		. " $v->{file}:$v->{line}";
}

# [ past, future ] in seconds, or nothing where any time will do

sub window {
	my ($live, $place) = @_;

	my $scheme = scheme($live, $place->{scheme});
	return unless has_time($scheme);

	my ($own) = map { $_->{args} } effective($place, 'webhook_tolerance');
	my ($past, $future) = @{$own || ($scheme->{tolerance} || [ [ '5m' ] ])->[0]};

	return if $past eq 'off';

	return [ map { seconds($_) } $past, defined $future ? $future : $past ];
}

sub seconds {
	my ($text) = @_;

	my %units = (s => 1, m => 60, h => 3600, d => 86400, w => 604800,
		M => 2592000, y => 31536000);
	my $sum = 0;

	$sum += $1 * $units{$2 || 's'} while $text =~ /(\d+)([smhdwMy]?)/g;

	return $sum;
}

sub duration {
	my ($n) = @_;

	return '0' unless $n;

	foreach ([ d => 86400 ], [ h => 3600 ], [ m => 60 ]) {
		return $n / $_->[1] . $_->[0] unless $n % $_->[1];
	}

	return "${n}s";
}

sub window_text {
	my ($window) = @_;

	my ($past, $future) = @$window;

	return duration($past)
		. ($future == $past ? '' : ', ' . duration($future) . ' ahead');
}

###############################################################################

1;
