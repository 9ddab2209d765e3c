package Webhook::Check::List;

# (C) ngx_http_webhook_module contributors

# The command "list": places that verify, and what nginx -t does not say of
# them.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;

our @EXPORT_OK = qw/ list /;

use JSON::PP qw//;

use Webhook::Check::Conf qw/ named read_live /;
use Webhook::Check::Monitor qw/ check_monitor /;
use Webhook::Check::Output qw/ ACCEPTED %opt show show_json show_left_out
	warned /;
use Webhook::Check::Place qw/ effective find_places place_text verifying window
	window_text /;
use Webhook::Check::Scheme qw/ has_time scheme /;
use Webhook::Check::Secret qw/ form secrets /;

###############################################################################

sub list {
	my $live = read_live();
	find_places($live);
	check_monitor($live);

	my $messages = $live->{messages} =~ s/^nginx: (?:the configuration file .*
		syntax is ok|configuration file .* test is successful)\n//gmxr;

	my @places = verifying($live);
	my @lint = lint($live, @places);

	if ($opt{json}) {
		show_json({
			nginx => [ map { s/^nginx: //r } split /\n/, $messages ],
			places => [ map { place_json($live, $_) } @places ],
			warnings => [ warned(),
				map { $_->[0] ? "$_->[0]{name}: $_->[1]" : $_->[1] }
				@lint ],
		});

		return ACCEPTED;
	}

	print $messages, $messages eq '' ? '' : "\n";

	print "nothing is verified\n" unless @places;

	foreach my $place (@places) {
		my $p = place_json($live, $place);

		show('place', place_text($place),
			'secrets', join('; ', map { defined $_->{length}
				? "$_->{length} bytes, $_->{form}" : $_->{form} }
				@{$p->{secrets}}),
			'window', $p->{window} ? window_text($p->{window})
				: $p->{timestamp} ? 'any time will do'
				: 'no timestamp is signed',
			'dedup', $p->{dedup} || 'off',
			map { (warning => $_->[1]) }
				grep { $_->[0] && $_->[0] == $place } @lint);

		print "\n";
	}

	show(map { (warning => $_) } warned(),
		map { $_->[1] } grep { !$_->[0] } @lint);
	show_left_out();

	return ACCEPTED;
}

sub place_json {
	my ($live, $place) = @_;

	my $scheme = scheme($live, $place->{scheme});
	my ($dedup) = effective($place, 'webhook_dedup');
	my $v = $place->{verify};

	$dedup = undef if $dedup && $dedup->{args}[0] eq 'off';

	return {
		place => $place->{name},
		server => $place->{server_name},
		location => $place->{location},
		scheme => $place->{scheme},
		file => $v->{file},
		line => $v->{line},
		secrets => [ map { ref ? { form => "keys of $$_" }
			: defined $_
			? { length => length $_, form => form($_) }
			: { form => 'of variables' } } secrets($live, $place) ],
		window => scalar window($live, $place),
		timestamp => has_time($scheme) ? JSON::PP::true()
			: JSON::PP::false(),
		dedup => $dedup ? join(' ', @{$dedup->{args}}) : undef,
	};
}

# [ place, text ], the place undef where it is about several

sub lint {
	my ($live, @places) = @_;

	my (@lint, %secrets);

	foreach my $place (@places) {
		my $say = sub { push @lint, [ $place, @_ ] };

		# an outer location has no part in what an inner one answers

		my ($location) = grep { $_->{name} eq 'location' }
			@{$place->{levels}};

		foreach my $level (grep { $_->{name} eq 'server'
			|| $location && $_ == $location } @{$place->{levels}})
		{
			foreach my $node (map { (named($_, 'return'),
				named($_, 'rewrite')) } $level, named($level, 'if'))
			{
				my $what = before_verified($node, $level->{name})
					or next;

				$say->("\"$node->{name}\" in"
					. " $node->{file}:$node->{line} $what");
			}
		}

		my ($satisfy) = effective($place, 'satisfy');

		$say->('"satisfy any": who is allowed otherwise is not verified')
			if $satisfy && $satisfy->{args}[0] eq 'any';

		my ($max) = effective($place, 'client_max_body_size');

		$say->('"client_max_body_size" is not set: bodies over 1m get 413')
			unless $max;

		my ($json) = effective($place, 'webhook_json_max_size');
		my $scheme = scheme($live, $place->{scheme});
		my ($dedup) = effective($place, 'webhook_dedup');

		if ($dedup && $dedup->{args}[0] ne 'off') {
			my ($limit, $parsed) = map { size($_) }
				$max ? $max->{args}[0] : '1m',
				$json ? $json->{args}[0] : '1m';

			my @key = map { @$_ }
				@{$scheme->{dedup_key} || $scheme->{event_id} || []};

			$say->('bodies over "webhook_json_max_size", ' . ($json
				? $json->{args}[0] : '1m')
				. ', are let through without deduplication')
				if grep({ /^json:/ } @key)
				&& ($limit == 0 || $limit > $parsed);

			foreach my $module (qw/ proxy fastcgi uwsgi scgi grpc /) {
				my ($pass) = named($place->{levels}[0],
					"${module}_pass") or next;
				my $name = "${module}_ignore_client_abort";
				my ($abort) = effective($place, $name);

				next if $module eq 'grpc';

				$say->("\"$name\" is off: what a sender gives up is"
					. ' delivered again, though the application'
					. ' may have accepted it')
					if !$abort || $abort->{args}[0] ne 'on';
			}
		}

		push @{$secrets{$_}}, $place
			foreach keys %{{ map { $_ => 1 }
				grep { defined && !ref }
				secrets($live, $place) }};
	}

	my %said;

	foreach my $text (sort keys %secrets) {
		my %names = map { $_->{name} => 1 } @{$secrets{$text}};
		my $names = join ' and ', sort keys %names;

		push @lint, [ undef, "one secret is in use at $names" ]
			if keys %names > 1 && !$said{$names}++;
	}

	return @lint;
}

# what a directive of the rewrite module does to requests that are not verified
# yet, if that matters: nginx redirects them, looks for another location, or (with
# "break", and before there is a location) goes on

sub before_verified {
	my ($node, $level) = @_;

	my (undef, $to, $flag) = @{$node->{args}};

	return 'answers before anything is verified'
		if $node->{name} eq 'return' || $to =~ m!^(?:https?://|\$scheme)!
			|| defined $flag && $flag =~ /^(?:redirect|permanent)$/;

	return if $level eq 'server' || defined $flag && $flag eq 'break';

	return 'takes requests to another location, which may not verify them';
}

sub size {
	my ($text) = @_;

	my %units = (k => 1024, m => 1024 * 1024, g => 1024 * 1024 * 1024);

	return $text =~ /^(\d+)([kmg]?)$/i ? $1 * ($units{lc $2} || 1) : 0;
}

###############################################################################

1;
