package Webhook::Check::Probe;

# (C) ngx_http_webhook_module contributors

# Places beside the live ones for other schemes, other secrets, and other
# forms of them, and the hint that each of them stands for.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;

our @EXPORT_OK = qw/ probes /;

use Webhook::Check::Conf qw/ quote /;
use Webhook::Check::Hint qw/ hint /;
use Webhook::Check::Output qw/ %opt /;
use Webhook::Check::Place qw/ verifying /;
use Webhook::Check::Scheme qw/ algorithm all_schemes has_time likelihood line
	scheme signed_text /;
use Webhook::Check::Secret qw/ $PREFIX decode key secrets /;

###############################################################################

# places for other secrets, other forms of them, and other schemes: each secret
# of a probe stands for a cause

sub probes {
	my ($live, $place, $scheme, $request, $secrets) = @_;

	my @probes;
	my %headers = map { lc $_->[0] => 1 } @{$request->{headers}};

	my $add = sub {
		my ($hint, $lines, $name, @texts) = @_;

		$name = $place->{scheme} unless defined $name;
		$lines = defined $lines ? "@$lines" : '';

		foreach my $text (grep { ref || length $_ && !/\0/ } @texts) {
			my @same = grep { !$_->{base} && $_->{scheme} eq $name
				&& $_->{lines} eq $lines
				&& !ref $_->{secrets}[0] && !ref $text }
				@probes;

			next if grep { $_ eq $text } map { @{$_->{secrets}} } @same;

			my ($probe) = $hint
				? grep { @{$_->{secrets}} < 8 } @same
				: grep { $_->{base} } @probes;

			push @probes, $probe = { base => !$hint, lines => $lines,
				scheme => $name, secrets => [], hints => [],
				server_name => $place->{server_name} }
				unless $probe;

			push @{$probe->{secrets}}, $text;
			push @{$probe->{hints}}, $hint ? hint(@$hint) : 1;
		}
	};

	my $fits = sub {
		my ($rules, @texts) = @_;
		return grep { ref || defined key($rules, $_) } @texts;
	};

	$add->(undef, undef, undef, @$secrets);

	# what is in a file is a key as it is

	my @all = @$secrets;

	$secrets = [ grep { !ref } @all ];

	# form

	my $written = sub {
		my ($of, $directive) = @_;
		return join ' ', map { @$_ } @{$of->{$directive} || []};
	};

	my %other = map { $_ => scheme($live, $_) } all_schemes($live);
	my %likely = map { $_ => likelihood($other{$_}, \%headers) } keys %other;

	foreach my $name (sort { $likely{$b} <=> $likely{$a} || $a cmp $b }
		keys %other)
	{
		next if $name eq $place->{scheme};

		my $other = $other{$name};

		# it may be another form of the secret only, which is told apart

		next unless grep { $written->($other, $_)
			ne $written->($scheme, $_) }
			qw/ algorithm signature timestamp signed /;

		next unless grep { /^\$http_(\w+)$/
			&& $headers{$1 =~ tr/_/-/r} } @{line($other, 'signature')->{sources}};

		$add->([ 'other_scheme', $name ], undef, $name,
			$fits->($other, @all));
	}

	my $sig = line($scheme, 'signature');
	my $own = algorithm($scheme);

	my $signature = sub {
		my (%changed) = @_;
		my %line = (%$sig, %changed);

		return 'signature ' . join(' ', map { quote($_) }
			@{$line{sources}}, map { "$_=$line{$_}" }
			grep { defined $line{$_} }
			qw/ separator prefix item group encoding /) . ';';
	};

	if ($own =~ /^hmac-/) {
		foreach my $encoding (qw/ hex base64 base64url base64-hex /) {
			next if $encoding eq ($sig->{encoding} || 'hex');

			$add->([ 'encoding', $encoding ],
				[ $signature->(encoding => $encoding) ], undef, @$secrets);
		}

		foreach my $algorithm (qw/ hmac-md5 hmac-sha1 hmac-sha256
			hmac-sha384 hmac-sha512 /)
		{
			$add->([ 'algorithm', $algorithm ],
				[ "algorithm $algorithm;" ], undef, @$secrets)
				if $algorithm ne $own;
		}
	}

	$add->([ 'prefix' ], [ $signature->(prefix => undef) ], undef, @$secrets)
		if defined $sig->{prefix};

	if (has_time($scheme)) {
		my $time = line($scheme, 'timestamp');

		foreach my $unit (qw/ s ms rfc3339 iso8601 http /) {
			next if $unit eq ($time->{unit} || 's');

			$add->([ 'unit', $unit ], [ 'timestamp ' . join(' ',
				map { quote($_) } @{$time->{sources}},
				map({ "$_=$time->{$_}" } grep { defined $time->{$_} }
					qw/ separator prefix item group /),
				"unit=$unit") . ';' ], undef, @$secrets);
		}
	}

	# secrets

	$add->([ 'secret_blanks' ], undef, undef, $fits->($scheme,
		map { my $s = s/^[\s"']+|[\s"']+$//gr; $s ne $_ ? $s : () }
		@$secrets));

	$add->([ 'secret_newline' ], [ 'secret;' ], undef,
		map { ("$_\n", "$_\r\n") } @$secrets);

	$add->([ 'secret_raw' ], [ 'secret;' ], undef,
		grep { !/$PREFIX/ } @$secrets) if $scheme->{secret};

	foreach my $encoding (qw/ hex base64 base64url /) {
		$add->([ 'secret_decoded', $encoding ],
			[ "secret encoding=$encoding;" ], undef,
			grep { defined decode($encoding, $_) } @$secrets);
	}

	my @prefixed = grep { /$PREFIX/ } @$secrets;
	my @plain = map { s/$PREFIX//r } @prefixed;

	$add->([ 'secret_prefix' ], [ 'secret;' ], undef, @prefixed, @plain);
	$add->([ 'secret_prefix' ], [ 'secret encoding=base64;' ], undef,
		grep { defined decode('base64', $_) } @plain);

	$add->([ 'secret_prefix' ], undef, undef, $fits->($scheme,
		map { "whsec_$_" } grep { !/$PREFIX/ } @$secrets));

	foreach my $other (verifying($live)) {
		next if $other == $place || defined $opt{'secret-file'};

		$add->([ 'secret_of', $other->{name} ], undef, undef,
			$fits->($scheme, grep { defined }
				secrets($live, $other)));
	}

	# a key of one zero byte is padded to what an empty one is

	$add->([ 'secret_empty' ], [ 'secret encoding=hex;' ], undef, '00')
		if $own =~ /^hmac-/;

	# the address

	my $signed = signed_text($scheme);

	if ($signed =~ m!https://!) {
		$add->([ 'url_scheme' ], [ 'signed ' . quote($signed
			=~ s!https://!http://!r) . ';' ], undef, @all);
	}

	return @probes;
}

###############################################################################

1;
