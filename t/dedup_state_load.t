#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for what a state file brings back: into a zone that is full, into a
# smaller one, and from a file that is larger than any test could fill.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use Compress::Zlib qw/ crc32 /;
use POSIX qw/ EIO /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $secret = 'secret-of-nextpay-0123456789';

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faults()
	->allow(qr/\[crit\] .*pread\(\) "\S+\.state" failed/)
	->plan(10);

my $d = $t->testdir();

mkdir "$d/state";

my $u = upstream(8081);

###############################################################################

# full: what is asked for and not known is refused, so that nothing changes

conf('64k');
$t->run();

my $slots = 8 * ((stat "$d/state/events.state")[7] / 256 - 1);
my $sent = sent(map { "full-$_" } 1 .. $slots * 1.1);

my @known = @{$sent->{'200 proxied'}};

cmp_ok(scalar @known, '>', $slots * 0.99, 'full');

my $from = $t->log_pos();

$t->stop();
$t->run();

is(told(sent(@known)), @known . ' x 200 duplicate', 'full - all are known');
is(join("\n", $t->lines(qr/\[error\].*\.state/, from => $from)), '',
	'full - nothing to be told');

$t->stop();

# into a smaller zone

conf('32k');

$from = $t->log_pos();
$t->run();

$sent = sent(@known);

my ($forgotten) = join("\n", $t->lines(qr/\[error\]/, from => $from))
	=~ /"events": (\d+) events were forgotten before their time/;

cmp_ok($forgotten, '>', @known / 3, 'smaller - some are forgotten');
is($forgotten, @known - @{$sent->{'200 duplicate'}},
	'smaller - as many as are told of');

$t->stop();

###############################################################################

# A file of a zone of several gigabytes.  There is nothing in it, and who
# begins to read it is not kept waiting.

my $content = $t->read_file('state/events.state');
my $nbuckets = (1 << 24) + 1;

foreach my $case (
	[ 'huge', 256 * (1 + $nbuckets),
		qr/damaged: $nbuckets of $nbuckets records were skipped/ ],
	[ 'huge, a byte less', 256 * (1 + $nbuckets) - 1,
		qr/ignored: it has a wrong size/ ],
	[ 'huge, as 32 bits see it', 256, qr/ignored: it has a wrong size/ ],
) {
	my ($name, $size, $re) = @$case;

	my $n = $name =~ /32 bits/ ? 1 << 24 : $nbuckets;
	my $header = substr($content, 0, 12) . pack('V', $n)
		. substr($content, 16, 116);

	$t->write_file('state/events.state', $header . pack('V', crc32($header)));
	truncate "$d/state/events.state", $size or die "Can't truncate: $!\n";

	$t->faults("pread 65536 events.state " . EIO);

	my $from = $t->log_pos();
	$t->run();

	ok(scalar $t->lines(qr/\[error\].*$re/, from => $from), $name)
		or diag(join "\n", $t->lines(qr/\[error\]/, from => $from));

	$t->faults();
	$t->stop();
}

$t->run();

is(told(sent('last')), '1 x 200 proxied', 'works');
is(told(sent('last')), '1 x 200 duplicate', 'works - known');

###############################################################################

sub conf {
	my ($size) = @_;

	$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:$size state=%%TESTDIR%%/state/events.state;

    webhook_in_flight_wait  0;

    keepalive_requests  10000;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /hook {
            webhook_verify  nextpay;
            webhook_secret  $secret;
            webhook_dedup   zone=events key=hook on_full=reject;
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}

EOF
}

# the ids by what became of them

sub sent {
	my (@ids) = @_;

	my $client = client(port => 8080);
	my %sent;

	foreach my $id (@ids) {
		my $came = came_of($u, sub {
			deliver('nextpay', $secret, "{\"id\":\"$id\"}",
				uri => '/hook', client => $client)
		});

		push @{$sent{$came}}, $id;
	}

	$client->close();

	return \%sent;
}

sub told {
	my ($sent) = @_;
	return join ', ', map { @{$sent->{$_}} . " x $_" } sort keys %$sent;
}

###############################################################################
