# usage: maildkim.pl sign|verify FOLDER, as dkimpy.py
use strict; use warnings;
use Mail::DKIM::PrivateKey; use Mail::DKIM::PublicKey;
use Mail::DKIM::Signer; use Mail::DKIM::Verifier;

my ($mode, $folder) = @ARGV;

sub content {
	open my $f, '<:raw', "$folder/$_[0]" or die "$_[0]: $!";
	local $/;
	return <$f>;
}

{
	no warnings 'redefine';
	*Mail::DKIM::PublicKey::fetch_async = sub {
		my ($class, %prms) = @_;
		my $key = $class->parse(content("$prms{Selector}.txt"));
		@{$key}{qw(Selector Domain)} = @prms{qw(Selector Domain)};
		my $done = $prms{Callbacks} && $prms{Callbacks}{Success} || sub { $_[0] };
		return sub { $done->($key) };
	};
}

my %keys;
for (split /\n/, content('jobs')) {
	my ($name, $selector, $domain, $algorithm, $header, $body) = split / /;
	if ($mode eq 'verify') {
		my $v = Mail::DKIM::Verifier->new;
		$v->PRINT(content($name));
		$v->CLOSE;
		my ($s) = $v->signatures;
		print $s ? $s->result eq 'pass' ? 'pass' : $s->result_detail : 'none', "\n";
		next;
	}
	$keys{$selector} //= Mail::DKIM::PrivateKey->load(File => "$folder/$selector.pem");
	my $s = Mail::DKIM::Signer->new(Algorithm => $algorithm, Method => "$header/$body",
		Domain => $domain, Selector => $selector, Key => $keys{$selector});
	$s->PRINT(content($name));
	$s->CLOSE;
	open my $f, '>:raw', "$folder/$name.sig" or die;
	print $f $s->signature->as_string, "\r\n";
	close $f or die;
}
