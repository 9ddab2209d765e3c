package Webhook::Check::Cause;

# (C) ngx_http_webhook_module contributors

# Why a signature is not right: the request, the secret and the scheme are
# changed as may have happened, and nginx is asked again.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;

our @EXPORT_OK = qw/ diagnose /;

use Webhook::Check::Change qw/ body_changes is_compressed requests /;
use Webhook::Check::Hint qw/ hint hints_in_order /;
use Webhook::Check::Nginx qw/ judge right start_probes /;
use Webhook::Check::Probe qw/ probes /;
use Webhook::Check::Scheme qw/ algorithm line scheme /;
use Webhook::Check::Secret qw/ encode resolved_secrets /;

###############################################################################

sub diagnose {
	my ($live, $place, $request, $verdict) = @_;

	return unless $verdict->{reason}
		=~ /^(?:signature_mismatch|wrong_body_hash|missing_|malformed_)/;

	my $scheme = scheme($live, $place->{scheme});
	my @secrets = resolved_secrets($live, $place, $verdict->{vars});

	return unless @secrets;

	my @probes = probes($live, $place, $scheme, $request, \@secrets);
	my $private = start_probes($live, \@probes);

	@probes = grep { !$_->{off} } @probes;

	my ($base) = grep { $_->{base} } @probes or return;

	my @requests = requests($live, $place, $scheme, $request);
	my $order = 0;
	my %order = map { $_ => $order++ } hints_in_order();

	# the cause that a secret of the probe stands for, if that is right

	my $ask = sub {
		my ($probe, $changed) = @_;

		my $got = judge($private, $probe->{socket}, $changed);

		return unless right($got);

		# a file has any number of keys

		return $probe->{hints}[ref $probe->{secrets}[0] ? 0
			: $got->{secret} - 1];
	};

	# one cause

	my @found = grep { defined }
		map { $ask->($_, $request) } grep { !$_->{base} } @probes;

	foreach my $change (@requests) {
		push @found, $change->{hint} if $ask->($base, $change->{request});
	}

	my $by = sub { $order{$_[0]{name} =~ s/:.*//r} };

	@found = sort { $by->($a) <=> $by->($b) } @found;

	return $found[0] if @found;

	# two causes, which takes its time

	if (!$request->{several} && length $request->{body} <= 262144) {
		foreach my $change (@requests) {
			foreach my $probe (grep { !$_->{base} } @probes) {
				my $hint = $ask->($probe, $change->{request})
					or next;
				return ($hint, $change->{hint});
			}
		}

		foreach my $one (grep { $_->{hint}{name} =~ /^body_|^decomp/ }
			@requests)
		{
			foreach my $other (grep { $_->{hint}{name} =~ /^url_/ }
				@requests)
			{
				my %both = (%{$other->{request}},
					body => $one->{request}{body});

				return ($one->{hint}, $other->{hint})
					if $ask->($base, \%both);
			}

			foreach my $change (body_changes($one->{request})) {
				return ($one->{hint}, $change->{hint})
					if $ask->($base, $change->{request});
			}
		}
	}

	return hint('length') if is_cut($scheme, $request);

	# what is missing or malformed says it all

	return if $verdict->{reason} ne 'signature_mismatch';

	return hint(is_compressed($request) ? 'content_encoding' : 'none');
}

# a digest that is none in length, in the form that the scheme wants

sub is_cut {
	my ($scheme, $request) = @_;

	return unless algorithm($scheme) =~ /^hmac-sha(\d+)$/;

	my $sig = line($scheme, 'signature');
	my $encoding = $sig->{encoding} || 'hex';
	my $length = length encode($encoding, "\0" x ($1 == 1 ? 20 : $1 / 8));
	my $alphabet = $encoding eq 'hex' ? qr/[0-9a-f]/i : qr{[\w+/-]};
	my %names = map { /^\$http_(\w+)$/ ? ($1 =~ tr/_/-/r => 1) : () }
		@{$sig->{sources}};
	my $any;

	foreach (grep { $names{lc $_->[0]} } @{$request->{headers}}) {
		my $value = $_->[1];
		my @items = defined $sig->{separator}
			? split /[\Q$sig->{separator}\E]/, $value : $value;

		foreach my $item (@items) {
			$item =~ s/^\s+|\s+$//g;

			if (defined $sig->{prefix}) {
				$item =~ s/^\Q$sig->{prefix}\E// or next;
			}

			$any = 1 if $item =~ /^$alphabet+=*$/
				&& length $item != $length;
		}
	}

	return $any;
}

###############################################################################

1;
