#!/usr/bin/env bash
# Creates the resources of Toygres in Azure, from an empty subscription to a cluster in which the Helm chart can be installed:
# resource group, network, registry, AKS with enforced NetworkPolicy and workload identity, storage class, the control plane's
# identity, PostgreSQL for the metadata, the control plane's namespace and its Secret. docs/DEPLOY-AKS.md describes the steps.
#
#   scripts/setup-infra.sh --dry-run    prints every command and runs none
#   scripts/setup-infra.sh              runs them; it is idempotent and keeps existing resources
#
# It needs az (logged in), kubectl and openssl, and kubelogin if AKS_ADMIN_GROUP is set. These variables configure the resources:
set -euo pipefail

: "${AZURE_LOCATION:=westeurope}"
: "${AKS_RESOURCE_GROUP:=toygres}"
: "${AKS_CLUSTER_NAME:=toygres}"
# The namespace of the control plane, and that of the instances, which the chart creates.
: "${CONTROL_PLANE_NAMESPACE:=toygres}"
: "${AKS_NAMESPACE:=$CONTROL_PLANE_NAMESPACE-instances}"
# The object id of a group in Entra ID whose members administer the cluster. Set, the cluster has no local accounts: everybody logs
# in by name. Unset, whoever may list the cluster's credentials gets a certificate of an administrator, valid until it is rotated.
: "${AKS_ADMIN_GROUP:=}"
: "${AKS_NODE_COUNT:=3}"
: "${AKS_NODE_SIZE:=Standard_D4s_v5}"
: "${VNET_NAME:=toygres}"
: "${IDENTITY_NAME:=toygres}"
: "${STORAGE_CLASS:=toygres}"
: "${DATABASE_SIZE:=Standard_D2ds_v5}"
# Globally unique names in Azure, derived from the subscription by default.
: "${ACR_NAME:=}"
: "${DATABASE_SERVER:=}"

DRY_RUN=false
case "${1:-}" in
  --dry-run) DRY_RUN=true ;;
  "") ;;
  *)
    echo "usage: scripts/setup-infra.sh [--dry-run]" >&2
    exit 2
    ;;
esac

say() {
  printf '\n# %s\n' "$*"
}

# Prints a command, and runs it unless this is a dry run.
run() {
  local word line=""
  for word in "$@"; do
    case "$word" in
      *[!A-Za-z0-9@%+=:,./_\<\>-]*) line="$line '$word'" ;;
      *) line="$line $word" ;;
    esac
  done
  printf '%s\n' "${line# }"
  "$DRY_RUN" || "$@" >/dev/null
}

# Whether a resource exists. In a dry run none does, so that every command is printed.
exists() {
  ! "$DRY_RUN" && "$@" >/dev/null 2>&1
}

# Whether the Secret of a control plane is in a namespace. The script ends if that is not known: a new one would come with a new password
# for a database that is in use.
has_secret() {
  local found
  ! "$DRY_RUN" || return 1
  found="$(kubectl --namespace "$1" get secret toygres --ignore-not-found --output name)" || exit 1
  [ -n "$found" ]
}

# The value that a command prints; in a dry run, the name of the value in angle brackets.
ask() {
  local name="$1"
  shift
  if "$DRY_RUN"; then printf '<%s>' "$name"; else "$@" --output tsv; fi
}

tools=(az kubectl openssl)
accounts=()
if [ -n "$AKS_ADMIN_GROUP" ]; then
  tools+=(kubelogin)
  accounts=(--enable-aad --aad-admin-group-object-ids "$AKS_ADMIN_GROUP" --disable-local-accounts)
fi
for tool in "${tools[@]}"; do
  "$DRY_RUN" || command -v "$tool" >/dev/null || {
    echo "$tool is missing: install it first." >&2
    exit 1
  }
done

SUBSCRIPTION="${AZURE_SUBSCRIPTION_ID:-$(ask subscription az account show --query id)}"
unique="${SUBSCRIPTION:0:8}"
[ "$SUBSCRIPTION" != "<subscription>" ] || unique="<unique>"
: "${ACR_NAME:=toygres$unique}"
: "${DATABASE_SERVER:=toygres-$unique}"
group=(--resource-group "$AKS_RESOURCE_GROUP" --subscription "$SUBSCRIPTION")

say "Resource group"
run az group create --name "$AKS_RESOURCE_GROUP" --location "$AZURE_LOCATION" --subscription "$SUBSCRIPTION"

say "Network: one subnet for the cluster, one that only PostgreSQL may use"
exists az network vnet show "${group[@]}" --name "$VNET_NAME" ||
  run az network vnet create "${group[@]}" --name "$VNET_NAME" --address-prefixes 10.40.0.0/16 \
    --subnet-name cluster --subnet-prefixes 10.40.0.0/20
exists az network vnet subnet show "${group[@]}" --vnet-name "$VNET_NAME" --name metadata ||
  run az network vnet subnet create "${group[@]}" --vnet-name "$VNET_NAME" --name metadata \
    --address-prefixes 10.40.16.0/28 --delegations Microsoft.DBforPostgreSQL/flexibleServers
cluster_subnet="$(ask cluster-subnet-id az network vnet subnet show "${group[@]}" --vnet-name "$VNET_NAME" --name cluster --query id)"
metadata_subnet="$(ask metadata-subnet-id az network vnet subnet show "${group[@]}" --vnet-name "$VNET_NAME" --name metadata --query id)"

say "Container registry"
exists az acr show "${group[@]}" --name "$ACR_NAME" ||
  run az acr create "${group[@]}" --name "$ACR_NAME" --sku Standard

say "Cluster. Without --network-policy, AKS takes NetworkPolicies and enforces none; it cannot be turned on later"
exists az aks show "${group[@]}" --name "$AKS_CLUSTER_NAME" ||
  run az aks create "${group[@]}" --name "$AKS_CLUSTER_NAME" --location "$AZURE_LOCATION" \
    --node-count "$AKS_NODE_COUNT" --node-vm-size "$AKS_NODE_SIZE" --zones 1 2 3 \
    --network-plugin azure --network-plugin-mode overlay --network-policy cilium --network-dataplane cilium \
    --vnet-subnet-id "$cluster_subnet" --service-cidr 10.41.0.0/16 --dns-service-ip 10.41.0.10 --pod-cidr 10.42.0.0/16 \
    --enable-managed-identity --enable-oidc-issuer --enable-workload-identity ${accounts[@]+"${accounts[@]}"} \
    --attach-acr "$ACR_NAME" --generate-ssh-keys --yes
if [ -n "$AKS_ADMIN_GROUP" ] && ! "$DRY_RUN" && [ "$(ask local-accounts az aks show "${group[@]}" --name "$AKS_CLUSTER_NAME" --query disableLocalAccounts)" != true ]; then
  echo "The cluster $AKS_CLUSTER_NAME exists with local accounts. docs/DEPLOY-AKS.md says how to disable them." >&2
  exit 1
fi
run az aks get-credentials "${group[@]}" --name "$AKS_CLUSTER_NAME" --overwrite-existing
# The kubeconfig of such a cluster asks for a login in a browser; kubelogin takes that of az instead.
[ -z "$AKS_ADMIN_GROUP" ] || run kubelogin convert-kubeconfig --login azurecli
issuer="$(ask oidc-issuer az aks show "${group[@]}" --name "$AKS_CLUSTER_NAME" --query oidcIssuerProfile.issuerUrl)"

say "Storage class: premium disks, made where the pod runs, growable"
storage_class="$(
  cat <<YAML
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: $STORAGE_CLASS}
provisioner: disk.csi.azure.com
parameters: {skuName: Premium_LRS, cachingMode: None}
reclaimPolicy: Delete
allowVolumeExpansion: true
volumeBindingMode: WaitForFirstConsumer
YAML
)"
printf "kubectl apply --server-side --filename - <<'YAML'\n%s\nYAML\n" "$storage_class"
"$DRY_RUN" || kubectl apply --server-side --filename - <<<"$storage_class" >/dev/null

say "Identity of the control plane: its service account is known to Azure. It needs no role there: in the cluster it uses its service account"
exists az identity show "${group[@]}" --name "$IDENTITY_NAME" ||
  run az identity create "${group[@]}" --name "$IDENTITY_NAME" --location "$AZURE_LOCATION"
client_id="$(ask client-id az identity show "${group[@]}" --name "$IDENTITY_NAME" --query clientId)"
exists az identity federated-credential show "${group[@]}" --identity-name "$IDENTITY_NAME" --name "$CONTROL_PLANE_NAMESPACE" ||
  run az identity federated-credential create "${group[@]}" --identity-name "$IDENTITY_NAME" --name "$CONTROL_PLANE_NAMESPACE" \
    --issuer "$issuer" --subject "system:serviceaccount:$CONTROL_PLANE_NAMESPACE:toygres" --audiences api://AzureADTokenExchange

if ! has_secret "$CONTROL_PLANE_NAMESPACE" && has_secret "$AKS_NAMESPACE"; then
  # Without this, the database would get a new password, and the key that seals passwords would be lost.
  echo "The Secret of a control plane is in the namespace $AKS_NAMESPACE: set CONTROL_PLANE_NAMESPACE=$AKS_NAMESPACE to keep it there." >&2
  exit 1
fi

say "Namespace"
exists kubectl get namespace "$CONTROL_PLANE_NAMESPACE" || run kubectl create namespace "$CONTROL_PLANE_NAMESPACE"

say "PostgreSQL for the metadata, reached from the network only, and the Secret with its URL and the key that seals passwords"
zone="$DATABASE_SERVER.private.postgres.database.azure.com"
exists az network private-dns zone show "${group[@]}" --name "$zone" ||
  run az network private-dns zone create "${group[@]}" --name "$zone"
exists az network private-dns link vnet show "${group[@]}" --zone-name "$zone" --name "$VNET_NAME" ||
  run az network private-dns link vnet create "${group[@]}" --zone-name "$zone" --name "$VNET_NAME" \
    --virtual-network "$VNET_NAME" --registration-enabled false
if has_secret "$CONTROL_PLANE_NAMESPACE"; then
  echo "# the Secret is there; its key and the database's password stay"
else
  # Secrets are passed in files that only this user can read, because all users can read arguments.
  secrets="<private-directory>"
  if ! "$DRY_RUN"; then
    secrets="$(mktemp -d)"
    trap 'rm -rf "$secrets"' EXIT
    chmod 700 "$secrets"
    # Azure requires characters of three kinds.
    printf 'Aa1-%s' "$(openssl rand -hex 24)" >"$secrets/password"
    openssl rand -base64 32 | tr -d '\n' >"$secrets/secret-key"
    printf 'postgres://toygres:%s@%s.postgres.database.azure.com:5432/toygres?sslmode=verify-full' \
      "$(cat "$secrets/password")" "$DATABASE_SERVER" >"$secrets/database-url"
  fi
  if exists az postgres flexible-server show "${group[@]}" --name "$DATABASE_SERVER"; then
    # An earlier run was interrupted between the creation of the server and of the Secret, so the password is lost.
    run az postgres flexible-server update "${group[@]}" --name "$DATABASE_SERVER" --admin-password "@$secrets/password"
  else
    run az postgres flexible-server create "${group[@]}" --name "$DATABASE_SERVER" --location "$AZURE_LOCATION" \
      --version 17 --tier GeneralPurpose --sku-name "$DATABASE_SIZE" --storage-size 64 --backup-retention 14 \
      --subnet "$metadata_subnet" --private-dns-zone "$zone" --admin-user toygres --admin-password "@$secrets/password" --yes
  fi
  exists az postgres flexible-server db show "${group[@]}" --server-name "$DATABASE_SERVER" --database-name toygres ||
    run az postgres flexible-server db create "${group[@]}" --server-name "$DATABASE_SERVER" --database-name toygres
  run kubectl --namespace "$CONTROL_PLANE_NAMESPACE" create secret generic toygres \
    "--from-file=secret-key=$secrets/secret-key" "--from-file=database-url=$secrets/database-url"
fi

say "Done. Next, the image and the chart"
cat <<NEXT
az acr build --registry $ACR_NAME --image toygres:0.1.0 .
helm upgrade --install toygres k8s/chart --namespace $CONTROL_PLANE_NAMESPACE \\
  --set image.repository=$ACR_NAME.azurecr.io/toygres \\
  --set instances.namespace=$AKS_NAMESPACE --set instances.storageClass=$STORAGE_CLASS \\
  --set instances.dnsLabelDomain=$AZURE_LOCATION.cloudapp.azure.com \\
  --set-string podLabels.azure\\\\.workload\\\\.identity/use=true \\
  --set serviceAccount.annotations.azure\\\\.workload\\\\.identity/client-id=$client_id
NEXT
