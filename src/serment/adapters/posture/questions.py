"""The questions put to a machine, by system and name: programs, files, dates, registry values.

Programs only show: none changes a setting, none asks the network, none needs an administrator.
Windows' programs speak the user's language, so they are asked for numbers, identifiers and names
of ours. What the answers mean is decided in `core.exposure.posture`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from serment.core.exposure.posture.verdict import System


@dataclass(frozen=True, slots=True)
class Command:
    """A program, by its name in the system's own folders, with its arguments."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Files:
    """The first `limit` bytes of each file that matches; `~` is the user's home."""

    patterns: tuple[str, ...]
    limit: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class Dates:
    """When each path was last changed: lines of path and seconds since 1970."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Present:
    """Which of these paths exist: lines of the names given to them."""

    paths: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Environment:
    """The values of variables of the session."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Registry:
    """Chosen values of a key of Windows' registry, as a JSON object; {} without the key."""

    hive: str  # "HKLM" or "HKCU"
    key: str
    names: tuple[str, ...]
    count: str = ""  # with a name: how many keys lie two levels below, under that name


Question: TypeAlias = Command | Files | Dates | Present | Environment | Registry

SERVICES: Final = (
    *("ufw.service", "firewalld.service", "nftables.service", "netfilter-persistent.service"),
    *("clamav-freshclam.service", "chrony.service", "systemd-timesyncd.service"),
)
_GSETTINGS: Final = ("gsettings", "list-recursively")

LINUX: Final[Mapping[str, Question]] = {
    "os-release": Files(("/etc/os-release",)),
    "block-devices": Command(
        ("lsblk", "-J", "-b", "-o", "NAME,TYPE,FSTYPE,RM,HOTPLUG,TRAN,SIZE,MOUNTPOINT")
    ),
    "desktop": Environment(("XDG_CURRENT_DESKTOP",)),
    "gnome-session": Command((*_GSETTINGS, "org.gnome.desktop.session")),
    "gnome-screensaver": Command((*_GSETTINGS, "org.gnome.desktop.screensaver")),
    "kde-lock": Files(("~/.config/kscreenlockerrc",)),
    "shell-timeout": Files(("/etc/profile", "/etc/profile.d/*.sh", "/etc/bash.bashrc")),
    "services": Command(
        ("systemctl", "show", "--property=Id,LoadState,ActiveState,UnitFileState", *SERVICES)
    ),
    "ufw": Files(("/etc/ufw/ufw.conf", "/etc/default/ufw")),
    "nftables": Files(("/etc/nftables.conf", "/etc/sysconfig/nftables.conf")),
    "clamav": Files(("/var/lib/clamav/daily.c[lv]d",), limit=128),
    "antivirus": Present(
        {
            "Bitdefender": "/opt/bitdefender-security-tools",
            "CrowdStrike": "/opt/CrowdStrike",
            "ESET": "/opt/eset",
            "Kaspersky": "/opt/kaspersky",
            "Microsoft Defender": "/opt/microsoft/mdatp",
            "SentinelOne": "/opt/sentinelone",
            "Sophos": "/opt/sophos-spl",
            "WithSecure": "/opt/f-secure",
        }
    ),
    "apt-dates": Dates(("/var/lib/apt/lists", "/var/lib/apt/periodic/update-success-stamp")),
    "apt-history": Files(("/var/log/apt/history.log",), limit=256 * 1024),
    "apt-pending": Command(("apt", "list", "--upgradable")),
    "rpm-dates": Command(("rpm", "-qa", "--qf", "%{INSTALLTIME}\n")),
    "login-screens": Files(
        (
            *("/etc/gdm3/daemon.conf", "/etc/gdm3/custom.conf", "/etc/gdm/custom.conf"),
            *("/etc/sddm.conf", "/etc/sddm.conf.d/*.conf"),
            *("/etc/lightdm/lightdm.conf", "/etc/lightdm/lightdm.conf.d/*.conf"),
            "/etc/systemd/system/getty@tty1.service.d/*.conf",
        )
    ),
    "pam": Files(
        (
            *("/etc/pam.d/common-password", "/etc/pam.d/common-auth"),
            *("/etc/pam.d/system-auth", "/etc/pam.d/password-auth"),
        )
    ),
    "pwquality": Files(("/etc/security/pwquality.conf", "/etc/security/pwquality.conf.d/*.conf")),
    "account": Command(("id",)),
    "listening": Files(("/proc/net/tcp", "/proc/net/tcp6"), limit=128 * 1024),
    "samba": Files(("/etc/samba/smb.conf",)),
    "exports": Files(("/etc/exports", "/etc/exports.d/*.exports")),
    "backup": Command((*_GSETTINGS, "org.gnome.DejaDup")),
    "chrony": Command(("chronyc", "-n", "tracking")),
    "clock": Command(("timedatectl", "show")),
}

_PREFERENCES: Final = "/Library/Preferences/com.apple."
_XPROTECT: Final = "XProtect.bundle/Contents/Resources/XProtect.yara"

MACOS: Final[Mapping[str, Question]] = {
    "version": Command(("sw_vers",)),
    "filevault": Command(("fdesetup", "status")),
    "volumes": Command(("diskutil", "info", "-all")),
    "screen-lock": Command(("sysadminctl", "-screenLock", "status")),
    "screen-saver": Command(
        ("defaults", "-currentHost", "read", "com.apple.screensaver", "idleTime")
    ),
    "power": Command(("pmset", "-g")),
    "firewall": Command(("socketfilterfw", "--getglobalstate")),
    "xprotect": Command(("xprotect", "version")),
    "xprotect-date": Dates(
        (
            f"/Library/Apple/System/Library/CoreServices/{_XPROTECT}",
            f"/var/protected/xprotect/{_XPROTECT}",  # since macOS 15
        )
    ),
    "updates": Command(("defaults", "read", f"{_PREFERENCES}SoftwareUpdate")),
    "automatic-login": Command(("defaults", "read", f"{_PREFERENCES}loginwindow", "autoLoginUser")),
    "password-policy": Command(("pwpolicy", "-getaccountpolicies")),
    "account": Command(("id",)),
    "listening": Command(("netstat", "-an", "-p", "tcp")),
    "shares": Command(("sharing", "-l")),
    "backup": Command(("tmutil", "latestbackup")),
    "backup-places": Command(("tmutil", "destinationinfo")),
    "clock": Command(("systemsetup", "-getusingnetworktime")),
}


def _powershell(script: str) -> Command:
    """Windows' own PowerShell, without profile; a script of ours, on one line, that prints JSON."""
    opening = "$ErrorActionPreference='SilentlyContinue'; "
    speaking = "[Console]::OutputEncoding=[Text.Encoding]::UTF8; "
    flags = ("-NoLogo", "-NoProfile", "-NonInteractive", "-Command")
    return Command(("powershell.exe", *flags, opening + speaking + " ".join(script.split())))


_DRIVES: Final = """
$shell = New-Object -ComObject Shell.Application;
$usb = @(Get-CimInstance Win32_DiskDrive -Filter 'InterfaceType="USB"' |
  Get-CimAssociatedInstance -ResultClassName Win32_DiskPartition |
  Get-CimAssociatedInstance -ResultClassName Win32_LogicalDisk | ForEach-Object { $_.DeviceID });
$drives = @(Get-CimInstance Win32_LogicalDisk | Where-Object { $_.Size } | ForEach-Object { @{
  letter = $_.DeviceID; type = [int]$_.DriveType; usb = ($usb -contains $_.DeviceID);
  protection = $shell.NameSpace($_.DeviceID + '\\').Self.ExtendedProperty(
    'System.Volume.BitLockerProtection') } });
ConvertTo-Json -Compress -InputObject $drives
"""
_FIREWALL: Final = """
$profiles = @(Get-NetFirewallProfile -PolicyStore ActiveStore | ForEach-Object {
  @{ name = [string]$_.Name; enabled = [int]$_.Enabled } });
$products = @(Get-CimInstance -Namespace root/SecurityCenter2 -ClassName FirewallProduct |
  ForEach-Object { @{ name = $_.displayName; state = [long]$_.productState } });
ConvertTo-Json -Compress -Depth 3 -InputObject @{ profiles = $profiles; products = $products }
"""
_ANTIVIRUS: Final = """
$products = @(Get-CimInstance -Namespace root/SecurityCenter2 -ClassName AntiVirusProduct |
  ForEach-Object { @{ name = $_.displayName; state = [long]$_.productState } });
$status = Get-MpComputerStatus;
$defender = if ($status) { @{ on = [bool]$status.RealTimeProtectionEnabled;
  signatures = $status.AntivirusSignatureLastUpdated.ToUniversalTime().ToString('s') } };
ConvertTo-Json -Compress -Depth 3 -InputObject @{ products = $products; defender = $defender }
"""
_UPDATES: Final = """
ConvertTo-Json -Compress -InputObject @(Get-CimInstance Win32_QuickFixEngineering |
  ForEach-Object { $_.CimInstanceProperties['InstalledOn'].Value })
"""
_SHARES: Final = """
$shared = @(Get-CimInstance Win32_Share | Where-Object { $_.Type -eq 0 }).Count;
$feature = Get-CimInstance Win32_OptionalFeature -Filter 'Name="SMB1Protocol"';
ConvertTo-Json -Compress -InputObject @{ shared = $shared; smb1 = $feature.InstallState }
"""
_DESKTOP: Final = ("ScreenSaveActive", "ScreenSaverIsSecure", "ScreenSaveTimeOut", "SCRNSAVE.EXE")
_NT: Final = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"
_CONTROL: Final = r"SYSTEM\CurrentControlSet\Control"
_SERVICE: Final = r"SYSTEM\CurrentControlSet\Services"

WINDOWS: Final[Mapping[str, Question]] = {
    "version": Registry(
        "HKLM", _NT, ("CurrentBuildNumber", "UBR", "EditionID", "InstallationType")
    ),
    "volumes": _powershell(_DRIVES),
    "screen-saver": Registry("HKCU", r"Control Panel\Desktop", _DESKTOP),
    "screen-saver-policy": Registry(
        "HKCU", r"Software\Policies\Microsoft\Windows\Control Panel\Desktop", _DESKTOP
    ),
    "system-policy": Registry(
        "HKLM",
        r"SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System",
        ("InactivityTimeoutSecs",),
    ),
    "sleep": Command(("powercfg.exe", "/query", "SCHEME_CURRENT", "SUB_SLEEP", "STANDBYIDLE")),
    "wake-password": Command(
        ("powercfg.exe", "/query", "SCHEME_CURRENT", "SUB_NONE", "CONSOLELOCK")
    ),
    "firewall": _powershell(_FIREWALL),
    "antivirus": _powershell(_ANTIVIRUS),
    "updates": _powershell(_UPDATES),
    "logon": Registry("HKLM", rf"{_NT}\Winlogon", ("AutoAdminLogon",)),
    "accounts": Command(("net.exe", "accounts")),
    "groups": Command(("whoami.exe", "/groups", "/fo", "csv", "/nh")),
    "remote-desktop": Registry("HKLM", rf"{_CONTROL}\Terminal Server", ("fDenyTSConnections",)),
    "remote-desktop-level": Registry(
        "HKLM", rf"{_CONTROL}\Terminal Server\WinStations\RDP-Tcp", ("UserAuthentication",)
    ),
    "shares": _powershell(_SHARES),
    "smb-server": Registry("HKLM", rf"{_SERVICE}\LanmanServer\Parameters", ("SMB1",)),
    "usb-storage": Registry("HKLM", r"SYSTEM\CurrentControlSet\Enum\USBSTOR", (), count="devices"),
    "file-history": Registry(
        "HKCU", r"Software\Microsoft\Windows\CurrentVersion\FileHistory", ("ProtectedUpToTime",)
    ),
    "clock": Registry("HKLM", rf"{_SERVICE}\W32Time\Parameters", ("Type",)),
    "clock-service": Registry("HKLM", rf"{_SERVICE}\W32Time", ("Start",)),
    "clock-set": Registry("HKLM", rf"{_SERVICE}\W32Time\Config", ("LastKnownGoodTime",)),
}

QUESTIONS: Final[Mapping[System, Mapping[str, Question]]] = {
    System.LINUX: LINUX,
    System.MACOS: MACOS,
    System.WINDOWS: WINDOWS,
}

FOLDERS: Final[Mapping[System, tuple[str, ...]]] = {
    System.LINUX: ("/usr/bin", "/bin", "/usr/sbin", "/sbin"),
    System.MACOS: ("/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/libexec/ApplicationFirewall"),
    System.WINDOWS: ("", "WindowsPowerShell/v1.0"),  # below System32
}
