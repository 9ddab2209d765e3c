package Webhook::Check::Signature;

# (C) ngx_http_webhook_module contributors

# A request as a provider makes it: what its scheme wants in headers, address
# and body, and the signature.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;

our @EXPORT_OK = qw/ sign_request /;

use Digest::MD5 qw//;
use Digest::SHA qw//;
use JSON::PP qw//;
use POSIX qw/ strftime /;

use Webhook::Check::Output qw/ USAGE CONFIGURATION %opt fail warning /;
use Webhook::Check::Scheme qw/ algorithm has_time line signed_text variables /;
use Webhook::Check::Secret qw/ encode key /;

###############################################################################

# adds the headers that a provider sends

sub sign_request {
	my ($scheme, $request, $secret, $at, $body, $vars) = @_;

	my $algorithm = algorithm($scheme);

	fail(USAGE, "\"$algorithm\" signs with a key that is not here")
		unless $algorithm =~ /^(?:hmac-(?:md5|sha\d+)|token)$/;

	fail(USAGE, 'keys of a file are not signed with') if ref $secret;

	my $form = signed_text($scheme) =~ /webhook_form_sorted/;

	my %headers;

	my $id = defined $opt{id} ? $opt{id}
		: sprintf 'msg_%d_%06x', $at, int rand 0x1000000;
	my $type = defined $opt{type} ? $opt{type} : 'webhook-check.test';

	# times

	my ($stamp, $time) = ('', line($scheme, 'timestamp'));

	if (has_time($scheme)) {
		my $unit = $time->{unit} || 's';

		$stamp = $unit eq 'ms' ? $at * 1000
			: $unit =~ /^(?:rfc3339|iso8601)$/
				? strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $at)
			: $unit eq 'http'
				? http_date($at)
			: $at;
	}

	# what the body says, and headers that are neither signature nor time

	my (%json, @wanted);

	foreach ([ event_type => $type ], [ event_id => $id ],
		[ dedup_key => $id ])
	{
		my ($directive, $value) = @$_;

		foreach my $line (@{$scheme->{$directive} || []}) {
			foreach my $part (@$line) {
				if ($part =~ /^json:(.*)/) {
					$json{$1} = $value unless defined $json{$1};

				} else {
					push @wanted, map { [ $_, $value ] }
						$part =~ /\$\{?http_(\w+)/g;
				}
			}
		}
	}

	if (has_time($scheme) && $time->{sources}[0] =~ /^json:(.*)/) {
		my $pointer = $1;
		$json{$pointer} = $stamp =~ /^\d+$/ ? $stamp + 0 : $stamp;
	}

	foreach ([ 'type', $opt{type} ], [ 'id', $opt{id} ]) {
		warning("--$_->[0] is in the body, and that is given")
			if defined $_->[1] && defined $body
			&& grep { $_ ne 'time' } keys %json and !@wanted;
	}

	$body = $form ? "id=$id&type=$type"
		: JSON::PP->new()->utf8()->canonical()->encode(document(\%json))
		unless defined $body;
	$request->{body} = $body;

	if (has_time($scheme) && $time->{sources}[0] =~ /^\$http_(\w+)$/) {
		$headers{$1} = item($time, $stamp)
			unless defined $time->{separator} || defined $time->{group};
	}

	# parts of a header

	my $sig = line($scheme, 'signature');
	my (%fields, @beside);

	foreach my $line (@{$scheme->{field} || []}) {
		my ($name, @args) = @$line;
		my $field = line({ field => [ \@args ] }, 'field');

		$fields{lc $name} = $id;

		if (($field->{sources}[0] || '') eq ($sig->{sources}[0] || '')) {
			push @beside, $field;
			next;
		}

		fail(USAGE, 'the scheme has fields that cannot be made here')
			unless ($field->{sources}[0] || '') =~ /^\$http_(\w+)$/;

		my $header = $1;
		my @items;

		put_item(\@items, $field, $id);
		$headers{$header} = items($field, @items)
			unless defined $headers{$header};
	}

	foreach (@wanted) {
		my ($name, $value) = @$_;
		$headers{$name} = $value unless defined $headers{$name};
	}

	if ($scheme->{body_hash}) {
		my $line = line($scheme, 'body_hash');
		my %opts = map { /^(\w+)=(.*)/ } @{$scheme->{body_hash}[0]};

		my $hash = Digest::SHA->can($opts{algorithm} || 'sha256');
		my $value = ($line->{prefix} || '')
			. encode($line->{encoding} || 'hex', $hash->($body));

		if ($line->{sources}[0] =~ /^\$http_(\w+)$/) {
			$headers{$1} = $value;

		} elsif ($line->{sources}[0] =~ /^query:(.+)/) {
			my @pair = ($1, $value);

			s/([^\w.~-])/sprintf '%%%02X', ord $1/ge foreach @pair;

			$request->{target} .= ($request->{target} =~ /\?/
				? '&' : '?') . join '=', @pair;

			my ($args) = $request->{target} =~ /\?(.*)/s;

			$vars = { %$vars, request_uri => $request->{target},
				args => $args, query_string => $args };

		} else {
			fail(USAGE, 'the scheme has a hash that cannot be made'
				. ' here');
		}
	}

	foreach (variables(signed_text($scheme))) {
		next unless /^http_(\w+)$/ && $1 ne 'host';
		$headers{$1} = $id unless defined $headers{$1};
	}

	# the signature

	my $source = $sig->{sources}[0];

	my ($in, $name) = ($source || '') =~ /^\$(http|arg)_(\w+)$/
		or fail(USAGE, 'the signature stands where it cannot be put');

	my $digest;

	if ($algorithm eq 'token') {
		my $key = key($scheme, $secret);
		$digest = encode($sig->{encoding} || 'raw', $key);

	} else {
		my $text = signed_text($scheme);

		$text =~ s/\$(?:\{(\w+)\}|(\w+))/
			value(defined $1 ? $1 : $2, $request, \%headers, \%fields,
				$stamp, $id, $vars)/ge;

		my $key = key($scheme, $secret);

		fail(CONFIGURATION, 'the secret does not decode')
			unless defined $key;

		$digest = encode($sig->{encoding} || 'hex',
			hmac($algorithm, $key, $text));
	}

	my @items;

	if (has_time($scheme) && ($time->{sources}[0] eq $source)) {
		put_item(\@items, $time, $stamp);
	}

	put_item(\@items, $_, $id) foreach @beside;
	put_item(\@items, $sig, $digest);

	my $value = items($sig, @items);

	if ($in eq 'http') {
		$headers{$name} = $value;

	} else {
		$request->{target} .= ($request->{target} =~ /\?/ ? '&' : '?')
			. "$name=$value";
	}

	push @{$request->{headers}}, [ 'Content-Type', $form
		? 'application/x-www-form-urlencoded' : 'application/json' ]
		unless defined $headers{content_type};

	push @{$request->{headers}}, map { [ name_of($_), $headers{$_} ] }
		sort keys %headers;
}

sub item {
	my ($line, $text) = @_;
	return (defined $line->{prefix} ? $line->{prefix} : '') . $text;
}

sub put_item {
	my ($items, $line, $text) = @_;

	my $n = ($line->{item} || '') =~ /^(\d+)/ ? $1 - 1 : scalar @$items;

	$items->[$n] = item($line, $text);
}

sub items {
	my ($line, @items) = @_;

	return join substr($line->{separator} || ',', 0, 1),
		map { defined $_ ? $_ : '-' } @items;
}

sub name_of {
	my ($name) = @_;
	return join '-', map { ucfirst } split /_/, $name;
}

sub value {
	my ($name, $request, $headers, $fields, $stamp, $id, $vars) = @_;

	return $request->{body} if $name eq 'request_body';
	return $stamp if $name eq 'webhook_timestamp';
	return $id if $name eq 'webhook_event_id';
	return $fields->{lc $1} if $name =~ /^webhook_field_(\w+)$/;
	return sorted($request->{body}) if $name eq 'webhook_form_sorted';

	return encode($1 || 'hex', Digest::SHA::sha256($request->{body}))
		if $name =~ /^webhook_body_sha256(?:_(\w+))?$/;

	return $request->{host} if $name eq 'http_host';

	if ($name =~ /^http_(\w+)$/) {
		return defined $headers->{$1} ? $headers->{$1} : '';
	}

	return defined $vars->{$name} ? $vars->{$name} : '';
}

# the parameters of a form, as they are signed

sub sorted {
	my ($form) = @_;

	my %pairs;

	foreach (split /&/, $form) {
		my @pair = map { tr/+/ /r =~ s/%([0-9a-f]{2})/chr hex $1/gier }
			split /=/, $_, 2;

		$pairs{$pair[0]}{defined $pair[1] ? $pair[1] : ''} = 1 if @pair;
	}

	return join '', map { my $name = $_; map { "$name$_" }
		sort keys %{$pairs{$name}} } sort keys %pairs;
}

sub hmac {
	my ($algorithm, $key, $text) = @_;

	if ($algorithm eq 'hmac-md5') {
		$key = Digest::MD5::md5($key) if length $key > 64;
		$key .= "\0" x (64 - length $key);

		return Digest::MD5::md5(($key ^ "\x5c" x 64)
			. Digest::MD5::md5(($key ^ "\x36" x 64) . $text));
	}

	my $code = Digest::SHA->can($algorithm =~ s/^hmac-/hmac_/r)
		or fail(USAGE, "\"$algorithm\" is not known here");

	return $code->($text, $key);
}

sub http_date {
	my ($at) = @_;

	my @t = gmtime $at;

	return sprintf '%s, %02d %s %d %02d:%02d:%02d GMT',
		(qw/ Sun Mon Tue Wed Thu Fri Sat /)[$t[6]], $t[3],
		(qw/ Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec /)[$t[4]],
		$t[5] + 1900, @t[2, 1, 0];
}

# the JSON that has these values at their pointers

sub document {
	my ($values) = @_;

	my $root;

	foreach my $pointer (sort keys %$values) {
		my $place = \$root;

		foreach my $step (split m!/!, $pointer =~ s!^/!!r, -1) {
			$step =~ s!~1!/!g;
			$step =~ s!~0!~!g;

			if ($step =~ /^\d+$/ && (!defined $$place
				|| ref $$place eq 'ARRAY'))
			{
				$$place = [] unless defined $$place;
				$place = \$$place->[$step];

			} else {
				$$place = {} unless ref $$place eq 'HASH';
				$place = \$$place->{$step};
			}
		}

		$$place = $values->{$pointer} unless ref $$place;
	}

	return defined $root ? $root : {};
}

###############################################################################

1;
