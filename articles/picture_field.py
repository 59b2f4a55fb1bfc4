"""Pictures in models and forms: taken by what they are, kept as readers may have them."""

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.db import models
from django.db.models.fields.files import ImageFieldFile
from django.utils.translation import gettext_lazy as _

from articles import pictures


class PictureFormField(forms.ImageField):
    default_validators = []
    default_error_messages = {
        "invalid_image": _("Choose a picture of one of these kinds: JPEG, PNG, WebP, AVIF or GIF."),
        "too_large": _(
            "Choose a picture of fewer pixels, at most %(most)d million: browsers may not be able to show so many."
        ),
        "too_heavy": _("Choose a smaller file, of at most %(most)d MB: it would take readers long to load."),
        "broken": _(
            "A part of this picture is missing. Choose the file again, or save it anew in a program."
        ),
    }

    def to_python(self, data):
        """Return the picture as readers may have it, or say which kinds are taken."""
        # Not as Django's field does, which opens whatever Pillow can.
        file = super(forms.ImageField, self).to_python(data)
        if file is None:
            return None
        try:
            if pictures.says_otherwise(file.name):
                raise pictures.UnknownKind
            pictures.check(file)
            return pictures.for_readers(file)
        except pictures.TooManyPixels as error:
            most = {"most": pictures.MOST_PIXELS // 1_000_000}
            raise ValidationError(self.error_messages["too_large"], "too_large", most) from error
        except pictures.TooManyBytes as error:
            most = {"most": pictures.MOST_BYTES // 1_000_000}
            raise ValidationError(self.error_messages["too_heavy"], "too_heavy", most) from error
        except pictures.Broken as error:
            raise ValidationError(self.error_messages["broken"], "broken") from error
        except pictures.UnknownKind as error:
            raise ValidationError(self.error_messages["invalid_image"], "invalid_image") from error

    def widget_attrs(self, widget):
        return {**super().widget_attrs(widget), "accept": ",".join(pictures.MEDIA_TYPES)}


class PictureFile(ImageFieldFile):
    def _get_image_dimensions(self):
        if not hasattr(self, "_dimensions_cache"):
            close = self.closed
            self.open()
            self._dimensions_cache = pictures.size_as_shown(self)
            if close:
                self.close()
            else:
                self.seek(0)
        return self._dimensions_cache


class PictureField(models.ImageField):
    attr_class = PictureFile

    def deconstruct(self):
        # To the database it is Django's.
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.ImageField", args, kwargs

    def pre_save(self, model_instance, add):
        file = getattr(model_instance, self.attname)
        if file and not file._committed:
            public = pictures.for_readers(File(file.file, file.name))
            file.file, file.name = public, public.name
            vars(file).pop("_dimensions_cache", None)
            self.update_dimension_fields(model_instance, force=True)
        return super().pre_save(model_instance, add)

    def formfield(self, **kwargs):
        return super().formfield(**{"form_class": PictureFormField, **kwargs})
