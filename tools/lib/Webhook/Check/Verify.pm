package Webhook::Check::Verify;

# (C) ngx_http_webhook_module contributors

# The command "verify": captured requests are judged, and why one is refused
# is looked for.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;

our @EXPORT_OK = qw/ verify /;

use JSON::PP qw//;
use Time::HiRes qw/ time /;

use Webhook::Check::Capture qw/ read_requests /;
use Webhook::Check::Cause qw/ diagnose /;
use Webhook::Check::Conf qw/ read_live /;
use Webhook::Check::Monitor qw/ check_monitor /;
use Webhook::Check::Nginx qw/ judge locate right start /;
use Webhook::Check::Output qw/ ACCEPTED REFUSED %opt forget_warnings left_out
	show show_json show_left_out warned /;
use Webhook::Check::Place qw/ check_verifying find_places place_text window
	window_text /;
use Webhook::Check::Replica qw/ warn_of_variables /;
use Webhook::Check::Secret qw/ secrets /;

###############################################################################

sub verify {
	my ($file) = @_;

	my @requests = read_requests($file);

	my $live = read_live();
	find_places($live);
	check_verifying($live);
	check_monitor($live);

	my $private = start($live);
	my $status = ACCEPTED;

	foreach my $request (@requests) {
		$request->{several} = @requests > 1;

		print "\n" if $request != $requests[0] && !$opt{json};

		my $rc = verify_one($live, $private, $request);
		$status = $rc if $rc > $status;

		forget_warnings();
	}

	return $status;
}

sub verify_one {
	my ($live, $private, $request) = @_;

	my ($place, $n, $verdict);

	($place, $n, $verdict, $private) = locate($private, $request);

	warn_of_variables($live, $place);

	my $window = window($live, $place);
	my $at = defined $opt{at} ? $opt{at} : $request->{at};
	my $now = int time();

	# by the window of the place, if the time is now

	my $reason = right($verdict) ? '' : $verdict->{reason} || 'internal_error';
	my $refused = $reason;
	my ($time, $age, $late);

	$refused = $verdict->{reason}
		if $verdict->{status} =~ /^(?:REJECTED|UNAVAILABLE)/;

	if ($verdict->{age} ne '') {
		$time = $now - $verdict->{age};
		$age = defined $at ? $at - $time : $verdict->{age};
	}

	if (defined $age && $window) {
		$late = $age > $window->[0] ? 'stale_timestamp'
			: -$age > $window->[1] ? 'future_timestamp' : undef;
	}

	if (!defined $at && right($verdict)) {
		my $own = judge($private, "$n.own.sock", $request);

		$late = $own->{reason} =~ /^(?:stale|future)_timestamp$/
			? $own->{reason} : undef;
		$refused = $own->{reason}
			if $own->{status} =~ /^(?:REJECTED|UNAVAILABLE)/;
	}

	$refused = $late if defined $late && $refused eq '';

	my @hints = right($verdict) ? ()
		: diagnose($live, $place, $request, $verdict);

	my %said = (place => $place, request => $request, verdict => $verdict,
		window => $window, time => $time, age => $age, late => $late,
		at => $at, refused => $refused, reason => $reason,
		hints => \@hints);

	$opt{json} ? verdict_json($live, \%said) : verdict_text($live, \%said);

	return $refused eq '' ? ACCEPTED : REFUSED;
}

sub verdict_text {
	my ($live, $said) = @_;

	my ($place, $request, $verdict, $window) =
		@$said{qw/ place request verdict window /};

	my @secrets = secrets($live, $place);

	my $signature = $said->{reason} ne '' ? "refused: $said->{reason}"
		: grep({ ref } @secrets) ? "right, by key $verdict->{secret}"
		: "right, by secret $verdict->{secret} of " . scalar @secrets;

	my $event = join ', ', map { "$_ $verdict->{$_}" }
		grep { $verdict->{$_} ne '' } qw/ id type /;

	my $time;

	if (defined $said->{time}) {
		$time = "$said->{time}, " . ago($said->{age})
			. (defined $said->{at} ? ' then' : '') . ': '
			. (!$window ? 'any time will do'
				: (defined $said->{late} ? 'outside' : 'in')
				. ' the window of ' . window_text($window)
				. (defined $said->{late} && !defined $said->{at}
					? ' by now' : ''));
	}

	my $verdict_line = $said->{refused} eq '' ? 'accepted'
		: $said->{reason} eq '' ? "refused: $said->{refused}"
			. (defined $said->{late}
				? ', and right but for its time' : '')
		: undef;

	$verdict_line = "accepted, and ignored: $verdict->{reason}"
		if $said->{refused} eq '' and $verdict->{status} =~ /^IGNORED/;

	$verdict_line = "accepted, and not deduplicated: $verdict->{reason}"
		if $said->{refused} eq '' and $verdict->{status} =~ /^PASSED/
		and $verdict->{reason} ne '';

	show('vector', $request->{name},
		'request', "$request->{method} " . ($request->{target} =~ s/\?.*/?.../sr)
			. ", host $request->{host}, body of "
			. length($request->{body}) . ' bytes',
		'place', place_text($place),
		'signature', $signature,
		map({ (why => "$_->{name}: $_->{text}") } @{$said->{hints}}),
		'event', $event ne '' ? $event : undef,
		'time', $time,
		'verdict', $verdict_line,
		map { (warning => $_) } warned());

	show_left_out();
}

sub verdict_json {
	my ($live, $said) = @_;

	my ($place, $request, $verdict) = @$said{qw/ place request verdict /};

	show_json({
		request => { method => $request->{method},
			target => $request->{target}, host => $request->{host},
			body => length $request->{body} },
		place => $place->{name},
		scheme => $place->{scheme},
		accepted => $said->{refused} eq ''
			? JSON::PP::true() : JSON::PP::false(),
		reason => $said->{refused},
		signature => $said->{reason} eq '' ? 'right' : $said->{reason},
		secret => $verdict->{secret} ne '' ? $verdict->{secret} + 0 : undef,
		status => $verdict->{status},
		event_id => $verdict->{id}, event_type => $verdict->{type},
		time => $said->{time},
		age => defined $said->{age} ? $said->{age} + 0 : undef,
		window => $said->{window},
		late => defined $said->{late}
			? JSON::PP::true() : JSON::PP::false(),
		hints => [ map { { hint => $_->{name}, text => $_->{text} } }
			@{$said->{hints}} ],
		defined $request->{name} ? (name => $request->{name}) : (),
		warnings => [ warned() ],
		left_out => $opt{v} ? [ left_out() ] : [],
	});
}

sub ago {
	my ($age) = @_;

	my $n = abs $age;
	my $text = "$n seconds";

	foreach ([ days => 86400 ], [ hours => 3600 ], [ minutes => 60 ]) {
		if ($n >= 2 * $_->[1]) {
			$text = int($n / $_->[1]) . " $_->[0]";
			last;
		}
	}

	return $text . ($age < 0 ? ' ahead' : ' ago');
}

###############################################################################

1;
